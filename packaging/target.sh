#!/usr/bin/env bash
# Prints the target of this machine's packages: static musl on Linux, if its toolchain is
# installed (packaging/toolchain.sh).
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
host=$(rustc --print host-tuple)
if [[ $host == *-linux-gnu ]] && packaging/toolchain.sh --find >/dev/null; then
  echo "${host%-gnu}-musl"
  exit
fi
if [[ $host == *-linux-gnu ]]; then
  printf 'packaging: FALLBACK to %s: there is no musl toolchain (packaging/toolchain.sh).\n' "$host" >&2
  echo "packaging: these packages need a C library as new as this machine's" >&2
fi
echo "$host"
