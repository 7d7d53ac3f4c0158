#!/usr/bin/env bash
# Lays out below one directory what every package installs below its prefix:
#
#     packaging/stage.sh BINARY DIRECTORY
#
# Program, links, manual pages, completions and documents. Of a program for Windows, whose
# name ends in .exe, copies take the place of links. Times are those of SOURCE_DATE_EPOCH
# where it is set.
set -euo pipefail
binary=$(realpath "$1")
mkdir -p "$2"
tree=$(realpath "$2")
CDPATH='' cd "$(dirname "$0")/.."

program=zitadel-credential
[[ $binary != *.exe ]] || program=zitadel-credential.exe
install -D -m 755 "$binary" "$tree/bin/$program"
cargo run --quiet --locked --example man -- "$tree/share/man"
# The pages know the names that the program answers to; `keyring` is nobody's to
# install: it is another program's.
for page in "$tree"/share/man/man1/*-credential*-zitadel.1; do
  name=$(basename "$page" .1)
  case $program in
    *.exe) cp "$tree/bin/$program" "$tree/bin/$name.exe" ;;
    *) ln -sf "$program" "$tree/bin/$name" ;;
  esac
done

completions() {
  mkdir -p "$tree/share/${2%/*}"
  # By a program for this machine: the packages' may be for another.
  cargo run --quiet --locked -- completions "$1" >"$tree/share/$2"
}
completions bash bash-completion/completions/zitadel-credential
completions fish fish/vendor_completions.d/zitadel-credential.fish
completions zsh zsh/site-functions/_zitadel-credential
[[ $program != *.exe ]] || completions powershell powershell/zitadel-credential.ps1

documents=$tree/share/doc/zitadel-credential
install -D -m 644 -t "$documents" README.md SECURITY.md CHANGELOG.md
install -D -m 644 -t "$documents/docs" docs/*.md
install -d "$documents/examples"
# All that the file can hold: the reference's own, so that there is one.
awk '/^## Config file/ { ours = 1 } ours && /^```$/ { exit }
  toml { print } ours && /^```toml$/ { toml = 1 }' docs/reference.md >"$documents/examples/config.toml"
cp -r examples/servers "$documents/examples/"
for samples in kubelet kubernetes launchd; do
  [[ ! -d packaging/$samples ]] || install -m 644 -t "$documents/examples" "packaging/$samples"/*
done
[[ ! -d packaging/systemd ]] || install -D -m 644 -t "$tree/lib/systemd/system" packaging/systemd/*

find "$tree" -type d -exec chmod 755 {} +
find "$tree" -type f ! -path "$tree/bin/*" -exec chmod 644 {} +
find "$tree" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH:-$(date +%s)}" {} +
