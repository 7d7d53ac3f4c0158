#!/usr/bin/env bash
# Creates the directory in which tests/clients/bazel.rs runs Bazel: Debian unstable's, the
# only package of a Bazel that supports credential helpers, with all its dependencies, the C
# library too. Nothing is installed on the system. Runs on Debian for about a minute,
# downloads 200 MB, and writes 550 MB to target/clients.
#
#     tests/clients/bazel-tree.sh
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/../.."
tree=$(realpath -m "${CARGO_TARGET_DIR:-target}")/clients/bazel
[[ -x $tree/usr/bin/bazel ]] && exit

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2016 # apt-get expands $(REPO_URI)
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sed -n 1p)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
printf 'deb [signed-by=%s] %s unstable main\n' "$keyring" "$mirror" >"$work/list"
mkdir "$work/debs"
apt=("$PWD/tests/clients/apt.sh" "$work" "$work/list")

# Compilers are not needed, because Bazel only fetches. Packages are only unpacked.
unneeded='^(gcc|g\+\+|cpp|binutils|perl|dpkg-dev|make|patch|debconf|util-linux|tzdata)'
unneeded+='|^lib(c6-dev|c-dev|gcc-[0-9]+-dev|stdc\+\+-[0-9]+-dev|perl|pam|eclipse|tomcat)|^linux-libc-dev'
"${apt[@]}" install --simulate bazel-bootstrap dash coreutils |
  sed -n 's/^Inst \([^ ]*\) .*/\1/p' | grep -vE "$unneeded" >"$work/packages"
(cd "$work/debs" && xargs -a "$work/packages" "${apt[@]}" download)

# It gets its name last, so that an incomplete one is created again.
rm -rf "$tree" "$tree.new"
mkdir -p "$tree.new"
for deb in "$work"/debs/*.deb; do
  dpkg-deb -x "$deb" "$tree.new"
done
rm -rf "$tree.new"/usr/lib/jvm/*/jmods "$tree.new"/usr/share/{doc,man}
for dir in bin sbin lib lib64; do
  [[ -e $tree.new/$dir ]] || ln -s "usr/$dir" "$tree.new/$dir"
done
ln -sf dash "$tree.new/usr/bin/sh"
for program in java javac keytool; do
  ln -sf "../lib/jvm/default-java/bin/$program" "$tree.new/usr/bin/$program"
done
mv "$tree.new" "$tree"
