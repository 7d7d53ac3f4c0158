#!/usr/bin/env bash
# Checks that what packaging/release.sh left under dist/ comes out the same, byte for
# byte, from a clone in another directory:
#
#     packaging/release.sh && packaging/reproduce.sh [TARGET | --all]      (as release.sh)
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
work=$(mktemp -d)
toolchain=${TOOLCHAIN:-$PWD/target/toolchain}
trap 'rm -rf "$work"' EXIT

# The files themselves, and not what once was summed.
(cd dist && sha256sum --check --strict --quiet SHA256SUMS)
git clone --quiet . "$work/a clone elsewhere"
git -C "$work/a clone elsewhere" checkout --quiet "$(git rev-parse HEAD)"
# Another umask, another zone, another time.
(umask 077 && cd "$work/a clone elsewhere" && env TZ=Asia/Tokyo LANG=C.UTF-8 \
  TOOLCHAIN="$toolchain" packaging/release.sh "$@")
diff dist/SHA256SUMS "$work/a clone elsewhere/dist/SHA256SUMS"
printf '%s files are the same from another directory\n' "$(wc -l <dist/SHA256SUMS)"
