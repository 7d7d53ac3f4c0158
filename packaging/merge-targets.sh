#!/usr/bin/env bash
# Merges the results of packaging/release.sh for several targets into one release:
#
#     packaging/merge-targets.sh BUILT DIST
#
# BUILT has a directory for each target. Files that do not depend on the target must be
# equal; a file that does gets the target's name, if its own name lacks it.
set -euo pipefail
built=$(realpath "$1")
export LC_ALL=C
# Existing files would become part of the release.
mkdir "$2"
dist=$(realpath "$2")
for directory in "$built"/*; do
  target=${directory##*/dist-}
  (cd "$directory" && sha256sum --check --strict --quiet SHA256SUMS)
  listed=$(cd "$directory" && sed 's/^[0-9a-f]*  //' SHA256SUMS && echo SHA256SUMS)
  [[ $(sort <<<"$listed") == $(ls "$directory" | sort) ]] ||
    { printf 'packaging/merge-targets.sh: %s holds what SHA256SUMS does not list\n' "$directory" >&2; exit 1; }
  for file in "$directory"/*; do
    name=${file##*/}
    case $name in
      SHA256SUMS) continue ;;
      THIRD-PARTY.txt | PROVENANCE.txt | *.cdx.json) name=${name%%.*}-$target.${name#*.} ;;
    esac
    [[ ! -e $dist/$name ]] || cmp "$file" "$dist/$name"
    cp "$file" "$dist/$name"
  done
done
cd "$dist"
sums=$(sha256sum -- *)
echo "$sums" >SHA256SUMS
