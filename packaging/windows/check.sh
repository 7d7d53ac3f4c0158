#!/usr/bin/env bash
# Builds the program for Windows and runs it under wine: the library's tests, contention
# and the helpers against the tests' issuer, and the sessions of sessions.py:
#
#     packaging/windows/check.sh          (installs wine; Debian only)
#
# It uses the toolchain of packaging/toolchain.sh, and writes only under target/windows.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/../.."
target=x86_64-pc-windows-gnu
toolchain=$(packaging/toolchain.sh $target)
work=$PWD/target/windows
mkdir -p "$work"
wine=/usr/lib/wine/wine64
if [[ ! -x $wine ]]; then
  sudo=; if ((EUID)); then sudo=sudo; fi
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends wine wine64 >&2
fi
export WINEPREFIX=$work/wine WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml='
if [[ ! -e $WINEPREFIX/drive_c ]]; then timeout 300 $wine wineboot -i; fi
x86_64-w64-mingw32-gcc -shared -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" \
  packaging/windows/bcryptprimitives.c -ladvapi32

# While one program runs, wine's services keep running: otherwise each call starts them.
exec {services}> >(exec $wine cmd /q >/dev/null 2>&1)

step() { printf 'Windows: %s (%s s)\n' "$1" "$SECONDS"; }
step "tools"
packaging/windows/tools.sh
step "build"
(eval "$toolchain" && cargo build --quiet --locked --target $target --target-dir "$work")
cargo build --quiet --locked --example issuer
step "the library's tests"
(eval "$toolchain" && CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="timeout 300 $wine" \
  cargo test --quiet --locked --lib --target $target --target-dir "$work")
step "contention, helpers"

home=$work/'Jane Doe'
rm -rf "$home"
mkdir -p "$home/bin" "$home/AppData/Roaming/zitadel-credential" "$home/AppData/Local"
# Calls a copy of the program: the file's stem selects the command, in any letter case.
for name in zitadel-credential git-credential-zitadel Docker-Credential-ZITADEL; do
  cp "$work/$target/debug/zitadel-credential.exe" "$home/bin/$name.exe"
done
coproc ISSUER { exec target/debug/examples/issuer "$home/AppData/Roaming/zitadel-credential"; }
trap 'kill "$ISSUER_PID" 2>/dev/null || true' EXIT
read -r url <&"${ISSUER[0]}"
echo "issuer $url"

windows=${home//\//\\}
run() { # PROGRAM ARGUMENTS
  local program=$1
  shift
  env HOME="$home" APPDATA="Z:$windows\\AppData\\Roaming" LOCALAPPDATA="Z:$windows\\AppData\\Local" \
    USERPROFILE="Z:$windows" timeout 120 $wine "$home/bin/$program.exe" "$@"
}
config="Z:$windows\\AppData\\Roaming\\zitadel-credential\\config.toml"
zitadel() { run zitadel-credential --config "$config" "$@"; }
fail() {
  printf 'packaging/windows/check.sh: %s\n' "$*" >&2
  exit 1
}
requests() {
  echo >&"${ISSUER[1]}"
  local count
  read -r count <&"${ISSUER[0]}"
  echo "$count"
}

# Fifty processes with an empty cache make one request.
tokens=()
for number in $(seq 50); do
  zitadel token --profile prod >"$work/token-$number" &
  tokens+=($!)
done
for pid in "${tokens[@]}"; do wait "$pid" || fail "a process in contention exits with $?"; done
[[ $(sort -u "$work"/token-* | wc -l) == 1 ]] || fail "the processes got several tokens"
[[ $(requests) == 1 ]] || fail "$(requests) token requests"
token=$(tr -d '\r\n' <"$work/token-1")
rm "$work"/token-*

# Tests a call's exit code and output. A failure shows all that it printed, and wine's
# errors and exceptions.
expect() { # CODE PATTERN PROGRAM ARGUMENTS
  local expected=$1 pattern=$2 code=0
  shift 2
  WINEDEBUG=-all,err+all,+seh run "$@" >"$work/stdout" 2>"$work/stderr" || code=$?
  # shellcheck disable=SC2053  # It is a pattern.
  if [[ $code != "$expected" || $(tr -d '\r' <"$work/stdout") != $pattern ]]; then
    cat "$work/stdout" "$work/stderr" >&2
    fail "$*: exit code $code; expected $expected and $(printf %q "$pattern")"
  fi
}
export ZITADEL_CREDENTIAL_CONFIG=$config
expect 0 $'*username=ci\n*'"password=$token*" git-credential-zitadel get \
  <<<$'protocol=https\nhost=git.acme.dev\n'
expect 0 "*\"Secret\":\"$token\"*" Docker-Credential-ZITADEL get \
  < <(printf registry.acme.dev:5000)
expect 0 "*\"token\":\"$token\"*" zitadel-credential kubectl --profile prod
expect 0 '*"sub"*' zitadel-credential whoami --profile prod
expect 7 '' zitadel-credential exec --profile prod -- cmd /c exit 7
expect 0 '*Register-ArgumentCompleter*' zitadel-credential completions powershell
[[ $(requests) == 1 ]] || fail "$(requests) token requests"

# It requests its own token.
expect 0 $'*\nok+( )token *' zitadel-credential doctor
step "sessions"
packaging/windows/sessions.py
step "done"
