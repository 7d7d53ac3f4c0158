#!/usr/bin/env bash
# Builds the files of a release, under dist/, for one target (default: the output of
# packaging/target.sh; static musl on Linux):
#
#     packaging/release.sh [TARGET]
#     packaging/release.sh --all     (those of packaging/targets.txt that build here,
#                                     merged by packaging/merge-targets.sh)
#
#   zitadel-credential-VERSION.tar.gz         the sources, including manual pages
#   zitadel-credential-VERSION-TARGET.tar.gz  what to unpack below /usr/local
#   zitadel-credential-VERSION-TARGET.zip     the same (for Windows, in its place)
#   ZITADEL.Credential.*yaml, zitadel-credential.json
#                                             winget's and scoop's manifests (for Windows)
#   zitadel-credential_VERSION-1_ARCH.deb     for Debian, Ubuntu (on Linux)
#   zitadel-credential-VERSION-1.ARCH.rpm     for Fedora, openSUSE (on Linux)
#   install.sh                                downloads and installs an archive
#   zitadel-credential.rb                     the Homebrew formula
#   zitadel-credential.cdx.json               the bill of materials (CycloneDX)
#   THIRD-PARTY.txt                           the licences of what is linked
#   PROVENANCE.txt                            the sources and tools of the build
#   RELEASE-NOTES.md                          this version's part of CHANGELOG.md
#   SHA256SUMS                                of all of them
#
# Equal sources and an equal toolchain give equal bytes, in any directory
# (packaging/reproduce.sh). packaging/materials/check.py checks the result.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
if [[ ${1-} == --all ]]; then
  built=target/built
  rm -rf "$built"
  mkdir -p "$built"
  # This machine's target comes last: the checks use its tree.
  for target in $(awk '!/^#/ && $3 == "yes" { print $1 }' packaging/targets.txt | sort); do
    "$0" "$target"
    packaging/materials/check.py
    mv dist "$built/dist-$target"
  done
  packaging/merge-targets.sh "$built" dist
  rm -rf "$built"
  exit
fi
target=${1:-$(packaging/target.sh)}
toolchain=
[[ $target == $(rustc --print host-tuple) ]] || toolchain=$(packaging/toolchain.sh --find "$target") || {
  echo "packaging/release.sh: there is no toolchain for $target: run packaging/toolchain.sh $target" >&2
  exit 1
}
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
date -d "@$SOURCE_DATE_EPOCH" >/dev/null
version=$(sed -n 's/^version = "\(.*\)"/\1/p;/^version/q' Cargo.toml)
commit=$(git log -1 --format=%H)
name=zitadel-credential-$version
export LC_ALL=C TZ=UTC
umask 022

# The archive of the sources and the binary must have the same commit. Files that git
# ignores would be packed too.
packed=(docs examples packaging src ':!*__pycache__*')
[[ -z $(git status --porcelain --untracked-files=all && git status --porcelain --ignored -- "${packed[@]}") ]] || { echo "packaging/release.sh: the tree has uncommitted changes" >&2; exit 1; }

missing=()
need() { command -v "$1" >/dev/null || missing+=("$1 ($2)"); }
need cargo-auditable 'cargo install --locked cargo-auditable'
need python3 'apt: python3'
if [[ $target == *-linux-* ]]; then
  need cargo-deb 'cargo install --locked cargo-deb'
  need dpkg-deb 'apt: dpkg'
  need dpkg-shlibdeps 'apt: dpkg-dev'
  need rpmbuild 'apt: rpm'
fi
if ((${#missing[@]})); then
  printf 'packaging/release.sh: %s is missing\n' "${missing[@]}" >&2
  exit 1
fi

# Concurrent runs would mix their files.
mkdir -p target
mkdir target/release.lock 2>/dev/null || {
  echo "packaging/release.sh: another run is active; if not, remove target/release.lock" >&2
  exit 1
}
trap 'rmdir target/release.lock' EXIT
trap 'exit 130' INT TERM

rm -rf dist target/tree
mkdir dist

# File list, times, modes and owners do not depend on the machine. There are no directories,
# so that root's tar does not change those below /usr/local.
pack() {
  (cd "$2" && find "$3" ! -type d -print0) | LC_ALL=C sort -z |
    tar --mode=u=rwX,go=rX --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=gnu \
      -C "$2" --null --no-recursion -T - -c | gzip -9n >"$1"
}

binary=$(packaging/build.sh "$target")
packaging/stage.sh "$binary" target/tree

documents=target/tree/share/doc/zitadel-credential
(eval "$toolchain" && packaging/materials/sbom.py "$target") >dist/zitadel-credential.cdx.json
packaging/materials/third-party.py "$target" >dist/THIRD-PARTY.txt
packaging/materials/release-notes.py "$version" >dist/RELEASE-NOTES.md
(eval "$toolchain" && packaging/materials/provenance.sh "$version" "$commit" "$target") >dist/PROVENANCE.txt
install -m 644 dist/THIRD-PARTY.txt dist/zitadel-credential.cdx.json "$documents"
find target/tree -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

# The sources, with the manual pages, so that a build need not create them.
sources=target/sources
rm -rf "$sources"
mkdir -p "$sources"
git -c core.autocrlf=false -c core.attributesFile=/dev/null archive --prefix="$name/" "$commit" | tar -x -C "$sources"
cp -R target/tree/share/man "$sources/$name/man"
pack "dist/$name.tar.gz" "$sources" "$name"

# The formula names that archive.
sum=$(sha256sum "dist/$name.tar.gz" | cut -d ' ' -f 1)
sed -e "s|/v[0-9.]*/zitadel-credential-[0-9.]*\.tar|/v$version/$name.tar|" \
  -e "s|sha256 \"0*\"|sha256 \"$sum\"|" \
  packaging/homebrew/zitadel-credential.rb >dist/zitadel-credential.rb

install -m 755 packaging/install/install.sh dist/

# None of these is useful on Windows.
[[ $target != *-windows-* ]] ||
  rm -r target/tree/lib target/tree/share/{man,bash-completion,fish,zsh}
rm -rf "target/$name-$target"
cp -R target/tree "target/$name-$target"
cp LICENSE-* "target/$name-$target/share/doc/zitadel-credential/"
if [[ $target == *-windows-* ]]; then
  packaging/windows/package.py "$version" "$target" "target/$name-$target" dist
else
  # Users unpack it below /usr/local.
  sed -i 's|=/usr/bin/|=/usr/local/bin/|' "target/$name-$target"/lib/systemd/system/*
  pack "dist/$name-$target.tar.gz" target "$name-$target"
fi

if [[ $target == *-linux-* ]]; then
  # Packages' documents are compressed, as the distributions' policies require.
  packaging/deb/changelog.py "$version-1" "$(sed -n 's/^maintainer = "\(.*\)"/\1/p' Cargo.toml)" \
    >target/tree/changelog.Debian
  mv "$documents/CHANGELOG.md" "$documents/changelog"
  gzip -9n target/tree/share/man/man?/* "$documents"/{changelog,*.md,docs/*.md,THIRD-PARTY.txt}
  packaging/deb/build.sh "$target" dist
  packaging/rpm/build.sh "$version" "$target" dist
fi

(cd dist && sha256sum -- * >SHA256SUMS.part && mv SHA256SUMS.part SHA256SUMS)
