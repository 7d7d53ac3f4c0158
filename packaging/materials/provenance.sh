#!/usr/bin/env bash
# Prints the sources and tools of a release, so that anyone can build it again:
#
#     packaging/materials/provenance.sh VERSION COMMIT TARGET
set -euo pipefail
linker=CARGO_TARGET_${3//-/_}_LINKER
linker=${linker^^}
cat <<EOF
zitadel-credential $1

source:     $(cargo pkgid | sed 's/^.*#/crate /') at commit $2
time:       SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH ($(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ))
target:     $3
compiler:   $("${RUSTC:-rustc}" --version)
cargo:      $(cargo --version)
tools:      $(rpmbuild --version 2>/dev/null | tr '[:upper:]' '[:lower:]' | sed 's/$/,/') $(cargo install --list | sed -n 's/^\(cargo-auditable\|cargo-deb\) v\(.*\):$/\1 \2/p' | paste -sd ,)
linker:     $("${!linker:-cc}" --version | head -n 1)
crates:     Cargo.lock, SHA-256 $(sha256sum Cargo.lock | cut -d ' ' -f 1)

To build it again, with the same compiler, in a clone at that commit:

    SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH packaging/release.sh $3

and compare SHA256SUMS.
EOF
