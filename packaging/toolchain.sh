#!/usr/bin/env bash
# Prints the environment that builds for a target, and installs what it needs:
#
#     packaging/toolchain.sh [TARGET…]         (installs what is missing; Debian only)
#     packaging/toolchain.sh --find TARGET     (exits 1 if something is missing)
#     eval "$(packaging/toolchain.sh --find TARGET)" && cargo build --target TARGET
#
# The default is this machine's static musl. A target that `rustup target add TARGET` has
# installed is used first. Otherwise this unpacks Debian's rustc-web below target/toolchain
# (or $TOOLCHAIN), once for all targets, and builds each standard library from Debian's
# source, in the layout of rustup's. The C libraries are Debian's, except Apple's, whose
# headers come with PyPI's ziglang. It installs only C compilers into the system.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
directory=${TOOLCHAIN:-$PWD/target/toolchain}
machine=$(uname -m)

# The target's C compiler, its package, and how programs panic: released programs abort, and
# tests unwind.
describe() {
  packages=() panic=unwind
  case $1 in
    "$machine-unknown-linux-musl")
      compiler=musl-gcc packages=(musl-tools) panic=abort
      ;;
    *-unknown-linux-musl)
      compiler=${1%%-*}-linux-gnu-gcc panic=abort
      packages=("gcc-${1%%-*}-linux-gnu" "libc6-dev-$(debian "$1")-cross")
      ;;
    *-unknown-linux-gnu)
      compiler=${1%%-*}-linux-gnu-gcc
      packages=("gcc-${1%%-*}-linux-gnu" "libc6-dev-$(debian "$1")-cross")
      ;;
    *-apple-darwin) compiler=$directory/bin/$1-cc ;;
    x86_64-pc-windows-gnu) compiler=x86_64-w64-mingw32-gcc packages=(gcc-mingw-w64-x86-64-win32) ;;
    *) die "unknown target: $1" ;;
  esac
}

die() { printf 'packaging/toolchain.sh: %s\n' "$1" >&2; exit 1; }

# Prints Debian's name of a target's processor.
debian() {
  case ${1%%-*} in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) echo "${1%%-*}" ;;
  esac
}

find_rustc() {
  if compgen -G "$(rustc --print target-libdir --target "$1")/libstd-*.rlib" >/dev/null; then
    rustup which rustc 2>/dev/null || command -v rustc
  elif [[ -e $directory/done-$1 ]]; then
    echo "$directory/bin/rustc"
  else
    return 1
  fi
}

# Prints the variables; fails if the Rust or the C compiler is missing.
environment() {
  local rustc name=${1//-/_}
  describe "$1"
  command -v "$compiler" >/dev/null && rustc=$(find_rustc "$1") || return 1
  printf 'export RUSTC=%q\n' "$rustc"
  local linker=$compiler
  if [[ $1 == aarch64-unknown-linux-musl ]]; then
    linker=$PWD/packaging/static-pie.sh
    printf 'export CARGO_TARGET_%s_LINKER=%q STATIC_PIE_CC=%q\n' "${name^^}" "$linker" \
      "${compiler/#musl-gcc/cc}"
  fi
  # cargo and the crate cc find this machine's own C compiler for musl.
  [[ $compiler != musl-gcc ]] || return 0
  printf 'export CC_%s=%q CARGO_TARGET_%s_LINKER=%q\n' "$name" "$compiler" "${name^^}" "$linker"
  case $1 in
    *-linux-* | *-windows-*) printf 'export AR_%s=%q\n' "$name" "${compiler%gcc}ar" ;;
    # Without it, the crate cc asks Xcode where the headers are.
    *-apple-*) printf 'export AR_%s=%q SDKROOT=/\n' "$name" "$directory/bin/zig-ar" ;;
  esac
  [[ $1 != *-linux-musl || $rustc != "$directory"/* ]] ||
    printf 'export CFLAGS_%s=%q\n' "$name" "-isystem $directory/musl-$1/usr/include/${1%%-*}-linux-musl"
}

as_root() { if ((EUID)); then sudo "$@"; else "$@"; fi; }

# Downloads packages of another architecture, which dpkg need not have enabled.
download_foreign() {
  local architecture=$1 state=$work/apt-$1
  shift
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  local apt=(apt-get -qq -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture"
    -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=root
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
  "${apt[@]}" update >&2
  "${apt[@]}" download "$@" >&2
}

# Unpacks Debian's compiler and the sources of its library.
install_rustc() {
  [[ ! -e $directory/bin/rustc ]] || return 0
  local std llvm
  dependency() { apt-cache depends "$1" | sed -n "s/^ *Depends: \($2\)\$/\1/p"; }
  std=$(dependency libstd-rust-web-dev 'libstd-rust-web-.*')
  llvm=$(dependency "$std" 'libllvm.*')
  mkdir "$work/debian"
  (cd "$work/debian" && apt-get -o APT::Sandbox::User=root download -qq rustc-web rust-web-src rust-web-clippy \
    "$std" libstd-rust-web-dev "$llvm" >&2)
  rm -rf "${directory:?}/usr"
  mkdir -p "$directory/bin"
  for package in "$work"/debian/*.deb; do
    # Only the library of the source is needed: 69 MB of 420.
    dpkg-deb --fsys-tarfile "$package" |
      tar -x -C "$directory" --no-wildcards-match-slash --exclude './usr/src/*/compiler' \
        --exclude './usr/src/*/src' --exclude ./usr/share --exclude ./usr/libexec
  done
  local libraries
  libraries=$(dirname "$(echo "$directory"/usr/lib/*/libLLVM-*.so)")
  for program in clippy-driver rustc; do
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$libraries" "$directory/usr/bin/$program" \
      >"$work/$program"
    install -m 755 "$work/$program" "$directory/bin/"
  done
}

# Writes a C compiler for Apple's systems. Zig's names of processors and systems differ from
# clang's, and it accepts no version of Xcode's.
install_zig() {
  [[ -e $directory/zig/bin/python ]] || python3 -m venv "$directory/zig"
  "$directory/zig/bin/pip" install --quiet --disable-pip-version-check ziglang==0.17.0 >&2
  local zig
  zig=$(echo "$directory"/zig/lib/python*/site-packages/ziglang/zig)
  printf '#!/bin/sh\nexec %q ar "$@"\n' "$zig" >"$directory/bin/zig-ar"
  cat >"$directory/bin/$1-cc" <<END
#!/usr/bin/env bash
arguments=()
while ((\$#)); do
  case \$1 in
    --target=* | -mmacosx-version-min=* | -mmacos-version-min=* | -gdwarf*) ;;
    -arch | -isysroot | -target) shift ;;
    *) arguments+=("\$1") ;;
  esac
  shift
done
exec '$zig' cc -target ${1%%-*}-macos "\${arguments[@]}"
END
  chmod 755 "$directory/bin/zig-ar" "$directory/bin/$1-cc"
}

# Builds a target's standard library, and copies the C library's parts beside it.
build_std() {
  local target=$1 std=$work/std-$1 library=$directory/usr/lib/rustlib/$1/lib gcc=$compiler
  # Programs for Apple's systems do not run here.
  local level=3
  [[ $target != *-apple-* ]] || level=0
  mkdir -p "$std/src"
  echo '#![no_std]' >"$std/src/lib.rs"
  cat >"$std/Cargo.toml" <<END
[package]
name = "nothing"
version = "0.0.0"
edition = "2024"

[profile.release]
panic = "$panic"
opt-level = $level
END
  # Only this makes a stable cargo accept -Zbuild-std. A stripped program has no
  # names for a backtrace to print: without that feature no unwinder is linked.
  local flags=(
    -Cembed-bitcode=yes
    "--remap-path-prefix=$directory/usr/lib/rustlib/src/rust=/rust"
    "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
  )
  # As in rustup's: a library that can unwind also has a crate for programs that abort.
  cat >"$std/rustc" <<END
#!/bin/sh
case " \$* " in *" --crate-name panic_abort "*) set -- "\$@" -Cpanic=abort ;; esac
exec '$directory/bin/rustc' "\$@"
END
  chmod 755 "$std/rustc"
  local crates=std,panic_abort
  [[ $panic == abort ]] || crates=std,panic_abort,panic_unwind,test
  (cd "$std" && RUSTC_BOOTSTRAP=1 RUSTC=$std/rustc CARGO_TARGET_DIR=$std/target \
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}") cargo build --quiet --release \
    --target "$target" -Z "build-std=$crates" -Z build-std-features= >&2)
  rm -rf "$library"
  mkdir -p "$library/self-contained"
  find "$std/target/$target/release/deps" -name '*.rlib' ! -name 'libnothing-*' -exec cp -t "$library" {} +
  rm -rf "$std"
  [[ $target == *-linux-musl ]] || return 0
  local musl=/usr/lib/${target%%-*}-linux-musl
  if [[ $compiler == musl-gcc ]]; then
    gcc=gcc
  else
    (mkdir -p "$work/musl" && cd "$work/musl" && download_foreign "$(debian "$target")" musl-dev)
    rm -rf "$directory/musl-$target"
    dpkg-deb -x "$work"/musl/musl-dev_*.deb "$directory/musl-$target"
    musl=$directory/musl-$target$musl
  fi
  for object in libc.a crt1.o Scrt1.o rcrt1.o crti.o crtn.o; do
    ln -s "$musl/$object" "$library/self-contained/"
  done
  for object in crtbegin.o crtbeginS.o crtend.o crtendS.o; do
    ln -s "$("$gcc" -print-file-name=$object)" "$library/self-contained/"
  done
  ln -s "$("$gcc" -print-file-name=libgcc_eh.a)" "$library/self-contained/libunwind.a"
}

if [[ ${1-} == --find ]]; then
  environment "${2-$machine-unknown-linux-musl}"
  exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
targets=("$@")
((${#targets[@]})) || targets=("$machine-unknown-linux-musl")
asked=
for target in "${targets[@]}"; do
  ! environment "$target" || continue
  [[ $asked ]] || as_root apt-get update -qq
  asked=yes
  ((!${#packages[@]})) || as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
    --no-install-recommends "${packages[@]}" >&2
  [[ $target != *-apple-* ]] || install_zig "$target"
  find_rustc "$target" >/dev/null || {
    install_rustc
    build_std "$target"
    # Results that were built with another standard library do not fit this one.
    rm -rf "target/release-build/$target" "target/release-build/release" \
      {target/windows,target/lint-target}/"$target"
    touch "$directory/done-$target"
  }
  environment "$target"
done
