#!/usr/bin/env bash
# Runs the library's tests for another processor, under qemu:
#
#     .ci/test-target.sh TARGET…      (after packaging/toolchain.sh TARGET…, by root or
#                                      after packaging/emulate.sh PROCESSOR…)
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
skip=(
  # Under qemu, starting a missing program reports no error.
  sys::process::tests::a_program_that_is_missing_is_not_started
  # Takes minutes under qemu
  text::quote::tests::a_line_of_a_pem_is_not_a_path_wherever_its_slashes_are
)
for target; do
  (
    processor=${target%%-*}
    ((EUID)) || packaging/emulate.sh "$processor"
    toolchain=$(packaging/toolchain.sh --find "$target")
    eval "$toolchain"
    # This system has no loader of Debian's glibc for another processor.
    name=${target//-/_}
    [[ $target != *-gnu ]] || export "CARGO_TARGET_${name^^}_RUSTFLAGS=-Ctarget-feature=+crt-static"
    export CARGO_TARGET_DIR=target/lint-target
    printf '%s: the library, under qemu\n' "$target"
    cargo test --quiet --locked --lib --target "$target" -- "${skip[@]/#/--skip=}"
    printf '%s: its tests pass\n' "$target"
  )
done
