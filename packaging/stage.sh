#!/usr/bin/env bash
# Creates a directory with the files that every package installs below its prefix:
#
#     packaging/stage.sh BINARY DIRECTORY
#
# It has the program, links, manual pages, completions and documents. For a program for
# Windows, whose name ends in .exe, it has copies instead of links. Times are those of
# SOURCE_DATE_EPOCH if it is set.
set -euo pipefail
binary=$(realpath "$1")
mkdir -p "$2"
tree=$(realpath "$2")
CDPATH='' cd "$(dirname "$0")/.."

program=zitadel-credential
[[ $binary != *.exe ]] || program=zitadel-credential.exe
install -D -m 755 "$binary" "$tree/bin/$program"
cargo run --quiet --locked --example man -- "$tree/share/man"
# The names of the links come from the manual pages. `keyring` gets no link: it is another
# program's name.
for page in "$tree"/share/man/man1/*-credential*-zitadel.1; do
  name=$(basename "$page" .1)
  case $program in
    *.exe) cp "$tree/bin/$program" "$tree/bin/$name.exe" ;;
    *) ln -sf "$program" "$tree/bin/$name" ;;
  esac
done

completions() {
  mkdir -p "$tree/share/${2%/*}"
  # Uses a program for this machine: the packages' program may be for another one.
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
# The example has every key of the config file: it is extracted from the reference.
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
