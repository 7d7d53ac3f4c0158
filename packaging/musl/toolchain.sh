#!/usr/bin/env bash
# Prints the rustc that builds static musl programs, and installs it if needed:
#
#     packaging/musl/toolchain.sh           (installs what is missing; Debian only)
#     packaging/musl/toolchain.sh --find    (exits 1 if there is none)
#
# `rustup target add $(uname -m)-unknown-linux-musl` is the short way, where rustup's
# servers can be reached: that target is used first. Otherwise this unpacks Debian's
# rustc-web below target/musl (or $MUSL_TOOLCHAIN) and builds the standard library
# from Debian's source of it, in the same layout as rustup's; the C library is
# musl-dev's. musl-tools, the C compiler in both cases, is the only package that it
# installs into the system.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/../.."
target=$(uname -m)-unknown-linux-musl
directory=${MUSL_TOOLCHAIN:-$PWD/target/musl}
rustc=$directory/bin/rustc

find_rustc() {
  command -v musl-gcc >/dev/null || return 1
  if compgen -G "$(rustc --print target-libdir --target "$target")/libstd-*.rlib" >/dev/null; then
    command -v rustc
  elif [[ -e $directory/done ]]; then
    echo "$rustc"
  else
    return 1
  fi
}
if find_rustc; then exit 0; fi
[[ ${1:-} != --find ]] || exit 1

as_root() { if ((EUID)); then sudo "$@"; else "$@"; fi; }
as_root apt-get update -qq
command -v musl-gcc >/dev/null ||
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends musl-tools >&2
if find_rustc; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$directory"
mkdir -p "$directory/bin"
dependency() { apt-cache depends "$1" | sed -n "s/^ *Depends: \($2\)\$/\1/p"; }
std=$(dependency libstd-rust-web-dev 'libstd-rust-web-.*')
llvm=$(dependency "$std" 'libllvm.*')
(cd "$work" && apt-get -o APT::Sandbox::User=root download -qq rustc-web rust-web-src "$std" libstd-rust-web-dev "$llvm" >&2)
for package in "$work"/*.deb; do
  # Of the source, the library alone is needed: 69 MB of 420.
  dpkg-deb --fsys-tarfile "$package" |
    tar -x -C "$directory" --no-wildcards-match-slash --exclude './usr/src/*/compiler' \
      --exclude './usr/src/*/src' --exclude ./usr/share --exclude ./usr/libexec
done
libraries=$(dirname "$(echo "$directory"/usr/lib/*/libLLVM-*.so)")
cat >"$rustc" <<END
#!/bin/sh
LD_LIBRARY_PATH='$libraries' exec '$directory/usr/bin/rustc' "\$@"
END
chmod 755 "$rustc"

# The standard library, for programs that abort when they panic, as ours does.
mkdir "$work/std" "$work/std/src"
echo '#![no_std]' >"$work/std/src/lib.rs"
cat >"$work/std/Cargo.toml" <<'END'
[package]
name = "nothing"
version = "0.0.0"
edition = "2024"

[profile.release]
panic = "abort"
END
# cargo takes -Zbuild-std from a stable toolchain only so. A stripped program has no
# names for a backtrace to print: without that feature no unwinder is linked.
flags=(
  -Cembed-bitcode=yes
  "--remap-path-prefix=$directory/usr/lib/rustlib/src/rust=/rust"
  "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
)
(cd "$work/std" && RUSTC_BOOTSTRAP=1 RUSTC=$rustc CARGO_TARGET_DIR=$work/std/target \
  CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}") cargo build --quiet --release \
  --target "$target" -Z build-std=std,panic_abort -Z build-std-features= >&2)
library=$directory/usr/lib/rustlib/$target/lib
mkdir -p "$library/self-contained"
find "$work/std/target/$target/release/deps" -name '*.rlib' ! -name 'libnothing-*' -exec cp -t "$library" {} +
for object in libc.a crt1.o Scrt1.o rcrt1.o crti.o crtn.o; do
  ln -s "/usr/lib/$(uname -m)-linux-musl/$object" "$library/self-contained/"
done
for object in crtbegin.o crtbeginS.o crtend.o crtendS.o; do
  ln -s "$(gcc -print-file-name=$object)" "$library/self-contained/"
done
ln -s "$(gcc -print-file-name=libgcc_eh.a)" "$library/self-contained/libunwind.a"
touch "$directory/done"
find_rustc
