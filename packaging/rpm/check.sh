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
asked=$(rpm -qp --requires "$package" | grep -v '^rpmlib' || true)
[[ -z $asked ]] || die "it asks for $asked"
[[ -z $(rpm -qp --scripts "$package") ]] || die "it runs scripts"

held() { (cd "$root" && find . -path ./var/lib/rpm -prune -o ! -type d -print | LC_ALL=C sort); }
# Debian's rpm warns against its use on Debian.
inside() { rpm --root "$root" --dbpath /var/lib/rpm "$@" 2> >(grep -v '^rpm: ' >&2); }
before=$(held)
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
[[ $(held) == "$before" ]] || die "it leaves $(comm -13 <(echo "$before") <(held))"
echo "the rpm for $processor installs, runs and goes"
