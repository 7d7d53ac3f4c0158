#!/usr/bin/env bash
# Audits, builds, installs and tests the formula of a release with Homebrew itself, from a
# temporary tap, and removes both again:
#
#     packaging/homebrew/install.sh FORMULA ARCHIVE
set -euo pipefail
formula=$(realpath "$1") archive=$(realpath "$2")
tap=zitadel-credential/check name=zitadel-credential/check/zitadel-credential
export HOMEBREW_NO_AUTO_UPDATE=1

brew tap-new --no-git "$tap"
trap 'brew uninstall --force zitadel-credential; brew untap "$tap"' EXIT
file=$(brew --repository "$tap")/Formula/zitadel-credential.rb
cp "$formula" "$file"
brew audit --strict --formula "$name"
# The release is not published yet: Homebrew gets the archive from here.
sed "s|^  url \".*\"|  url \"file://$archive\"|" "$formula" >"$file"
brew install --build-from-source --formula "$name"
brew test "$name"
for link in git-credential-zitadel docker-credential-zitadel; do
  [[ -x $(brew --prefix)/bin/$link ]]
done
# The version contains the commit of the release.
version=$(zitadel-credential --version)
[[ $version =~ \([0-9a-f]{40}\ .*\)$ ]] || { printf 'no commit in %s\n' "$version" >&2; exit 1; }
