#!/usr/bin/env bash
# Builds the deb from a tree of packaging/stage.sh, whose pages are already compressed:
#
#     packaging/deb/build.sh TARGET DIRECTORY      (times: SOURCE_DATE_EPOCH)
#
# It uses cargo deb, which writes an empty Depends field if the program needs no library;
# Debian's policy forbids empty fields (5.1).
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/../.."
target=$1 directory=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo deb --quiet --locked --no-build --no-strip --target "$target" --output "$work/made.deb" >/dev/null
dpkg-deb -R "$work/made.deb" "$work/tree"
sed -i '/^Depends: *$/d' "$work/tree/DEBIAN/control"
# dpkg-deb chooses the file's name, NAME_VERSION_ARCHITECTURE.deb.
dpkg-deb --root-owner-group -Zxz -b "$work/tree" "$directory" >/dev/null
