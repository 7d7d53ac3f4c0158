#!/usr/bin/env bash
# Makes one release of what packaging/release.sh built for several targets:
#
#     packaging/merge-targets.sh BUILT DIST
#
# BUILT has a directory for each. What every target makes alike must be alike;
# what is a target's own and does not say so in its name gets the target's.
set -euo pipefail
built=$(realpath "$1")
export LC_ALL=C
# What lies there already would be summed and handed out too.
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
