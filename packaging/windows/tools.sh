#!/usr/bin/env bash
# Builds the tools that packaging/windows/sessions.py runs under wine, in
# target/windows/tools: git.exe from the source of Debian trixie's git, kubectl.exe from
# its Go modules. Existing tools are not built again; the first build takes about three
# minutes of one core for each.
#
#     packaging/windows/tools.sh          (Debian only; needs Go 1.26 or later)
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/../.."
tools=$PWD/target/windows/tools
mkdir -p "$tools"

# Omits features that wine lacks (named pipes) or that a setup does not use. There is no sh,
# which git needs to run its helpers.
build_git() {
  local build=$tools/git.part clients=$PWD/tests/clients
  rm -rf "$build"
  mkdir "$build"
  (cd "$build" && "$clients/apt.sh" . "$clients/trixie.sources" source git) >"$build/source.log"
  sed -i 's/-DDETECT_MSYS_TTY//' "$build"/git-*/config.mak.uname
  make --silent --jobs=2 --directory="$(echo "$build"/git-*/)" uname_S=MINGW MSYSTEM=MINGW64 \
    CC=x86_64-w64-mingw32-gcc AR=x86_64-w64-mingw32-ar RC='x86_64-w64-mingw32-windres -O coff' \
    CFLAGS=-O0 LDFLAGS=-static prefix=/git INSTALL=install NO_CURL=1 NO_EXPAT=1 NO_GETTEXT=1 \
    NO_ICONV=1 NO_OPENSSL=1 NO_PERL=1 NO_PYTHON=1 NO_TCLTK=1 HAVE_LIBCHARSET_H='' \
    NEEDS_LIBICONV='' USE_LIBPCRE='' USE_NED_ALLOCATOR='' git.exe >"$build/make.log" 2>&1 ||
    { tail -n 20 "$build/make.log" >&2; return 1; }
  x86_64-w64-mingw32-strip -o "$tools/git.exe" "$build"/git-*/git.exe
  rm -rf "$build"
}
if [[ ! -e $tools/git.exe ]]; then
  if [[ ! -e /usr/x86_64-w64-mingw32/lib/libz.a ]]; then
    sudo=$( ((EUID)) && echo sudo || true)
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends libz-mingw-w64-dev >&2
  fi
  echo "building git.exe, which may take minutes"
  build_git
fi

source=tests/clients/kubectl-windows
wanted=$(cat "$source"/{main.go,go.mod,go.sum} | sha256sum)
if [[ $(cat "$tools/kubectl.source" 2>/dev/null) != "$wanted" ]]; then
  command -v go >/dev/null ||
    { echo "packaging/windows/tools.sh: install Go 1.26 or later first: https://go.dev/dl/" >&2; exit 1; }
  echo "building kubectl.exe, which may take minutes"
  # The flags and GOGC are for a short build, as in tests/clients/install.sh.
  (cd "$source" && GOOS=windows CGO_ENABLED=0 GOGC=off go build -trimpath \
    -gcflags='all=-l -dwarf=false' -ldflags='-s -w' -o "$tools/kubectl.exe" .)
  # last, so that an incomplete one is built again
  echo "$wanted" >"$tools/kubectl.source"
fi
