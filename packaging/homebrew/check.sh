#!/usr/bin/env bash
# Checks the formula of a release: Ruby accepts it, and it names this archive, which has the
# files that it installs:
#
#     packaging/homebrew/check.sh FORMULA ARCHIVE
#
# packaging/homebrew/install.sh tests the formula in Homebrew itself.
set -euo pipefail
formula=$(realpath "$1") archive=$(realpath "$2")
CDPATH='' cd "$(dirname "$0")/../.."
die() { printf 'packaging/homebrew/check.sh: %s\n' "$1" >&2; exit 1; }

ruby -wc "$formula"
repository=$(sed -n 's|^repository = "\(.*\)"|\1|p' Cargo.toml)
grep -q "^  url \"$repository/.*/${archive##*/}\"$" "$formula" || die "the URL names another archive"
sum=$(sha256sum "$archive" | cut -d ' ' -f 1)
grep -q "^  sha256 \"$sum\"$" "$formula" || die "the checksum is of another archive"
files=$(tar -tf "$archive" | cut -d / -f 2-)
for file in Cargo.toml Cargo.lock src/main.rs examples/man.rs \
  man/man1/zitadel-credential.1 man/man5/zitadel-credential-config.5; do
  grep -qx "$file" <<<"$files" || die "the archive has no $file"
done
# Each of these pages is named after a link.
links=$(grep -c '^man/man1/[a-z]*-credentials\?-zitadel\.1$' <<<"$files") || true
((links > 4)) || die "the archive has pages for $links links"
rubocop --config packaging/homebrew/rubocop.yml --format simple "$formula"
