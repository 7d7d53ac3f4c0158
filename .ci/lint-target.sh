#!/usr/bin/env bash
# Compiles and lints the program and the tests for targets whose programs do not run here:
#
#     .ci/lint-target.sh TARGET…      (after packaging/toolchain.sh TARGET…)
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
for target; do
  (
    toolchain=$(packaging/toolchain.sh --find "$target")
    eval "$toolchain"
    driver=$(dirname "$RUSTC")/clippy-driver
    # Calls the driver as cargo-clippy does, which looks for it only in its own directory.
    RUSTC_WORKSPACE_WRAPPER=$driver CLIPPY_CONF_DIR=$PWD CARGO_TARGET_DIR=target/lint-target \
      CLIPPY_ARGS='-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__' \
      cargo check --quiet --locked --all-targets --target "$target"
    printf '%s: program and tests compile without a warning\n' "$target"
  )
done
