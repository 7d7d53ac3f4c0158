#!/usr/bin/env bash
# Builds the program for packages, and prints its path:
#
#     packaging/build.sh [TARGET]      (default: the output of packaging/target.sh)
#
# Unlike the result of `cargo build --release`, it has its commit and the list of its crates
# (cargo-auditable), and no path of this machine.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
if [[ $PWD == *[\',:]* ]]; then
  printf 'packaging/build.sh: cargo and the linker do not take %s: it has a comma, colon or quote\n' "$PWD" >&2
  exit 1
fi
target=${1:-$(packaging/target.sh)}
if [[ $target != $(rustc --print host-tuple) ]]; then
  toolchain=$(packaging/toolchain.sh --find "$target") || {
    echo "packaging/build.sh: there is no toolchain for $target: run packaging/toolchain.sh $target" >&2
    exit 1
  }
  eval "$toolchain"
fi
directory=target/release-build
flags=(
  "--remap-path-prefix=$PWD=/zitadel-credential"
  "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
)

commit=$(git log -1 --format=%H)
[[ -z $(git -c core.excludesFile= status --porcelain --untracked-files=all) ]] || commit+=" and changes"
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
day=$(TZ=UTC date -d "@$time" +%F)
version=$(sed -n 's/^version = "\(.*\)"/\1/p;/^version/q' Cargo.toml)
# cargo would use these variables instead of the flags above.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
ZITADEL_CREDENTIAL_VERSION="$version ($commit $day)" \
  cargo auditable build --locked --quiet --release --target "$target" --target-dir "$directory" \
  --config "target.'cfg(all())'.rustflags = [$(printf "'%s'," "${flags[@]}")]"
ending=
[[ $target != *-windows-* ]] || ending=.exe
echo "$directory/$target/release/zitadel-credential$ending"
