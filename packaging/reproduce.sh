#!/usr/bin/env bash
# Checks that a build in a clone in another directory is equal, byte for byte, to the files
# of packaging/release.sh under dist/:
#
#     packaging/release.sh && packaging/reproduce.sh [TARGET | --all]      (as release.sh)
#     packaging/release.sh --all && packaging/reproduce.sh [TARGET]        (one of them)
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
work=$(mktemp -d)
toolchain=${TOOLCHAIN:-$PWD/target/toolchain}
trap 'rm -rf "$work"' EXIT

# Compares the files themselves, not their recorded sums.
(cd dist && sha256sum --check --strict --quiet SHA256SUMS)
git clone --quiet . "$work/a clone elsewhere"
git -C "$work/a clone elsewhere" checkout --quiet "$(git rev-parse HEAD)"
# Another umask, time zone and time.
(umask 077 && cd "$work/a clone elsewhere" && env TZ=Asia/Tokyo LANG=C.UTF-8 \
  TOOLCHAIN="$toolchain" packaging/release.sh "$@")
sums="$work/a clone elsewhere/dist/SHA256SUMS"
if [[ -e dist/PROVENANCE.txt || ${1-} == --all ]]; then
  diff dist/SHA256SUMS "$sums"
else
  # dist/ has other targets too, and some of this target's files under longer names.
  others=$(awk 'NR == FNR { known[$1]; next } !($1 in known)' dist/SHA256SUMS "$sums")
  [[ -z $others ]] || { printf 'from another directory, these differ:\n%s\n' "$others" >&2; exit 1; }
fi
printf '%s files are the same from another directory\n' "$(wc -l <"$sums")"
