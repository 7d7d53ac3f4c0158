#!/usr/bin/env bash
# Tests the package of packaging/release.sh as a user would install it, in a separate Debian
# for each suite:
#
#     packaging/deb/check.sh [SUITE…]       (default: bookworm)
#     ARCHITECTURE=arm64 packaging/deb/check.sh [SUITE…]
#
# lintian; `apt install`; the quickstart in that root, against an issuer outside
# of it, with an upgrade between its rounds, which must find configuration and
# cache as they were; then remove and purge, which must leave the root as it was.
# Needs root, debootstrap and lintian, and Debian's mirror once a week: target/roots keeps
# the empty roots. Another architecture needs packaging/emulate.sh.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/../.."
suites=("$@")
((${#suites[@]})) || suites=(bookworm)

missing=()
((EUID == 0)) || missing+=("root's rights")
for tool in debootstrap lintian dpkg-deb; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if ((${#missing[@]})); then
  printf 'packaging/deb/check.sh: %s is missing\n' "${missing[@]}" >&2
  # Outside CI, a machine without them may continue.
  [[ ${CI:-} != true ]]
  exit
fi
here=$(dpkg --print-architecture)
architecture=${ARCHITECTURE:-$here}
package=$(realpath dist/zitadel-credential_*_"$architecture".deb)

# packaging/deb/lintian-overrides has the reason for each overridden tag.
lintian --allow-root --pedantic --display-info --fail-on error,warning,info,pedantic "$package"

# Mounts belong to this process, and disappear when it exits.
if [[ ${OWN_MOUNTS:-} != yes ]]; then
  exec env OWN_MOUNTS=yes unshare --mount "$0" "${suites[@]}"
fi
# Another distribution's mirror has no Debian; debootstrap has a default.
mirror=
! grep -qx 'ID=debian' /etc/os-release ||
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sed -n 1p)
work=$(mktemp -d)
trap 'umount -R "$work"/*/proc "$work"/*/"$work"/shared 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT

# An older version of the package, to upgrade from.
dpkg-deb -R "$package" "$work/older"
sed -i 's/^Version: .*/Version: 0.0.1-1/' "$work/older/DEBIAN/control"

# Lists a root's files, without those of apt and dpkg.
files_of() {
  find "$1" -xdev \( -path "$1/var/lib/dpkg" -o -path "$1/var/lib/apt" -o -path "$1/var/cache" \
    -o -path "$1/var/log" -o -path "$1/proc" -o -path "$1/tmp" \) -prune -o -printf '%P %y %m %l\n' |
    LC_ALL=C sort
}

# Its output is shown only if it fails.
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }; }

for suite in "${suites[@]}"; do
  printf '%s: a root of its own for %s\n' "$suite" "$architecture"
  root=$work/$suite kept=target/roots/$suite-$architecture.tar.gz
  inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive "$@"; }
  mkdir -p target/roots "$root" "$work/shared"
  find target/roots -type f -mtime +7 -delete
  if [[ -e $kept ]]; then
    tar -xzpf "$kept" --numeric-owner -C "$root"
  elif [[ $architecture == "$here" ]]; then
    quietly debootstrap --variant=minbase "$suite" "$root" ${mirror:+"$mirror"}
  else
    quietly debootstrap --variant=minbase --foreign --arch="$architecture" "$suite" "$root" ${mirror:+"$mirror"}
    quietly chroot "$root" /debootstrap/debootstrap --second-stage
  fi
  ! grep -qs . /etc/apt/apt.conf.d/*proxy* || cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  mkdir -p "$root/$work/shared"
  mount --bind "$work/shared" "$root/$work/shared"
  mount -t proc proc "$root/proc"
  if [[ ! -e $kept ]]; then
    # Its dependencies and recommended packages are installed with it, and stay.
    quietly inside apt-get update
    quietly inside apt-get -y install ca-certificates
    inside apt-get clean
    tar -c --numeric-owner --one-file-system --exclude=./tmp/* -C "$root" . | gzip -1 >"$kept.part"
    mv "$kept.part" "$kept"
  fi
  dpkg-deb --root-owner-group -b "$work/older" "$root/older.deb" >/dev/null
  cp "$package" "$root/newer.deb"

  files_of "$root" >"$work/before"
  quietly inside apt-get -y install /older.deb

  TMPDIR=$work/shared quietly cargo run --quiet --locked --release --example quickstart -- \
    "chroot $root sh" \
    "chroot $root apt-get -y install /newer.deb"

  [[ -z $(inside dpkg --verify zitadel-credential) ]]
  inside sh -ec 'for file in /usr/bin/*zitadel*; do "$file" --help >/dev/null; done'
  installed=$(inside zitadel-credential --version)
  [[ $installed == "zitadel-credential $(dpkg-deb -f "$package" Version | cut -d - -f 1) ("* ]] || {
    printf '%s is installed\n' "$installed" >&2
    exit 1
  }
  inside sh -ec 'test ! -e /usr/bin/keyring
    for file in bash-completion/completions/zitadel-credential fish/vendor_completions.d/zitadel-credential.fish \
      zsh/vendor-completions/_zitadel-credential man/man1/zitadel-credential.1.gz \
      man/man5/zitadel-credential-config.5.gz; do test -s "/usr/share/$file"; done'

  # The user's own files must stay.
  inside sh -ec 'mkdir -p /root/.config/zitadel-credential; echo "#" >/root/.config/zitadel-credential/config.toml'
  quietly inside apt-get -y remove zitadel-credential
  files_of "$root" >"$work/removed"
  quietly inside apt-get -y install /newer.deb
  quietly inside apt-get -y purge zitadel-credential
  inside test -s /root/.config/zitadel-credential/config.toml
  rm -r "$root/root/.config"
  files_of "$root" >"$work/purged"
  grep -v '^root/\.config' "$work/removed" | diff "$work/before" -
  diff "$work/before" "$work/purged"
  umount "$root/proc" "$root/$work/shared"
  printf '%s, %s: %s installed, upgraded, removed and purged\n' "$suite" "$architecture" "$installed"
done
