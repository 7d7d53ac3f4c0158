#!/usr/bin/env bash
# Links, in place of rustc's linker, a static program that the kernel loads at a random
# address:
#
#     CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=packaging/static-pie.sh cargo build …
#
# rustc links static-pie for musl on x86-64, but asks for a fixed address on arm64. This
# script replaces those arguments and start files.
set -euo pipefail
arguments=()
for argument; do
  case $argument in
    -no-pie) continue ;;
    -static) argument=-static-pie ;;
    */crt1.o) argument=${argument%crt1.o}rcrt1.o ;;
    */crtbegin.o | */crtend.o) argument=${argument%.o}S.o ;;
  esac
  arguments+=("$argument")
done
exec "${STATIC_PIE_CC:-cc}" "${arguments[@]}"
