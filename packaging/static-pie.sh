#!/usr/bin/env bash
# Links in rustc's place a static program that the kernel loads at a random address:
#
#     CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=packaging/static-pie.sh cargo build …
#
# rustc does that for musl on x86-64 and others, and its code for arm64 would do: only its
# description of that target does not say so. So what it asks for is a program at a fixed
# address; the words and start files of the other kind take their place.
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
