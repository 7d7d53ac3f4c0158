#!/usr/bin/env bash
# Runs the library's tests as a program of another processor, by qemu:
#
#     .ci/test-target.sh TARGET…      (after packaging/toolchain.sh TARGET…, by root or
#                                      after packaging/emulate.sh PROCESSOR…)
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
skip=(
  # qemu tells nobody that a program to start is not there.
  sys::process::tests::a_program_that_is_missing_is_not_started
  # Minutes of arithmetic by qemu
  text::quote::tests::a_line_of_a_pem_is_not_a_path_wherever_its_slashes_are
)
for target; do
  (
    processor=${target%%-*}
    ((EUID)) || packaging/emulate.sh "$processor"
    toolchain=$(packaging/toolchain.sh --find "$target")
    eval "$toolchain"
    # Of Debian's glibc for another processor, this system has no loader.
    name=${target//-/_}
    [[ $target != *-gnu ]] || export "CARGO_TARGET_${name^^}_RUSTFLAGS=-Ctarget-feature=+crt-static"
    export CARGO_TARGET_DIR=target/lint-target
    printf '%s: the library, by qemu\n' "$target"
    cargo test --quiet --locked --lib --target "$target" -- "${skip[@]/#/--skip=}"
    printf '%s: its tests pass\n' "$target"
  )
done
