#!/usr/bin/env bash
# Tests the rpm of packaging/release.sh: it must install, run under each of its names, and
# uninstall with all of its files:
#
#     packaging/rpm/check.sh [PROCESSOR]      (default: this machine's)
#
# Debian's mirror has no Fedora, so rpm's own --root installs it into an empty directory.
# Needs root and rpm.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/../.."
if ((EUID)) || ! command -v rpm >/dev/null; then
  printf "packaging/rpm/check.sh: root's rights or rpm are missing\n" >&2
  # Outside CI, a machine without them may continue.
  [[ ${CI:-} != true ]]
  exit
fi
processor=${1:-$(uname -m)}
package=$(realpath dist/zitadel-credential-*."$processor".rpm)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
die() { printf 'packaging/rpm/check.sh: %s\n' "$1" >&2; exit 1; }

# A static program needs no C library, and no shell runs at install.
required=$(rpm -qp --requires "$package")
required=$(sed '/^rpmlib/d' <<<"$required")
[[ -z $required ]] || die "it requires $required"
scripts=$(rpm -qp --scripts "$package")
[[ -z $scripts ]] || die "it runs scripts: $scripts"

files() { (cd "$root" && find . -path ./var/lib/rpm -prune -o ! -type d -print | LC_ALL=C sort); }
# Debian's rpm warns against its use on Debian.
inside() { rpm --root "$root" --dbpath /var/lib/rpm "$@" 2> >(grep -v '^rpm: ' >&2); }
before=$(files)
inside --nodeps --ignorearch -i "$package"
inside --nodeps -V zitadel-credential
for file in "$root"/usr/bin/*; do
  chroot "$root" "/usr/bin/${file##*/}" --help >/dev/null
  [[ ${file##*/} == zitadel-credential || -L $file ]] || die "$file is no link"
done
chroot "$root" /usr/bin/zitadel-credential --version
for name in LICENSE-MIT LICENSE-APACHE; do
  cmp "$name" "$root/usr/share/licenses/zitadel-credential/$name"
done
inside -e zitadel-credential
[[ $(files) == "$before" ]] || die "it leaves $(comm -13 <(echo "$before") <(files))"
echo "the rpm for $processor installs, runs and goes"
