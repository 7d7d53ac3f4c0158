#!/usr/bin/env bash
# Prints the sources and tools of a release, so that anyone can build it again:
#
#     packaging/materials/provenance.sh VERSION COMMIT TARGET
set -euo pipefail
linker=CARGO_TARGET_${3//-/_}_LINKER
linker=${linker^^}
# A command that fails inside the text would leave a blank.
crate=$(cargo pkgid)
compiler=$("${RUSTC:-rustc}" --version)
cargo=$(cargo --version)
rpm=$(rpmbuild --version 2>/dev/null || true)
installed=$(cargo install --list)
linked=$("${!linker:-cc}" --version)
crates=$(sha256sum Cargo.lock)
cat <<EOF
zitadel-credential $1

source:     crate ${crate##*#} at commit $2
time:       SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH ($(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ))
target:     $3
compiler:   $compiler
cargo:      $cargo
tools:      ${rpm:+${rpm,,}, }$(sed -n 's/^\(cargo-auditable\|cargo-deb\) v\(.*\):$/\1 \2/p' <<<"$installed" | paste -sd ,)
linker:     ${linked%%$'\n'*}
crates:     Cargo.lock, SHA-256 ${crates%% *}

To build it again, with the same compiler, in a clone at that commit:

    SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH packaging/release.sh $3

and compare SHA256SUMS.
EOF
