#!/usr/bin/env bash
# Tests a release's packages for arm64 Linux on another processor, with qemu:
#
#     packaging/release.sh --all && packaging/emulated.sh
#
# Tests the archive's program in an empty root, the rpm, the deb in an arm64 Debian, and with
# that program the helpers' tests and a renewal among a hundred processes. Needs root
# (packaging/emulate.sh).
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
if ((EUID)); then
  [[ ${CI-} != true ]] || { echo "packaging/emulated.sh: needs root" >&2; exit 1; }
  echo "packaging/emulated.sh: not checked: needs root" >&2
  exit
fi
packaging/emulate.sh aarch64
packaging/archive/check.py aarch64
packaging/rpm/check.sh aarch64
ARCHITECTURE=arm64 packaging/deb/check.sh bookworm

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xzf dist/zitadel-credential-*-aarch64-unknown-linux-musl.tar.gz -C "$work" --strip-components 1
tests() {
  ZITADEL_CREDENTIAL_TEST_PROGRAM=$work/bin/zitadel-credential cargo test --quiet --locked --test "$@"
}
# strace would show qemu's own files and requests instead of the program's, and a package's
# program prints its commit after its version.
tests it -- tools:: --skip negative --skip version_needs_no_configuration
tests broken -- contention::a_hundred_in_the_refresh_window contention::nobody_waits
