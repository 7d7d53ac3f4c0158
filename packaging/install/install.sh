#!/bin/sh
# Installs a release of zitadel-credential on Linux or macOS, without compiling:
#
#     sh install.sh [--version VERSION] [--to DIRECTORY] [--from URL]
#
# Downloads SHA256SUMS and the archive for this machine, checks the archive against it, and
# installs program, links, manual pages and completions below the directory: /usr/local for
# root, ~/.local for other users. Files are replaced only when all new ones are ready; if
# anything fails, the installed files stay unchanged.
#
# Needs a POSIX shell, tar, gzip, find, curl or wget, and sha256sum, shasum or openssl.
set -eu
# The script parses the tools' output, and tar reads options from a variable too.
LC_ALL=C
export LC_ALL
unset TAR_OPTIONS GREP_OPTIONS
# If a standard stream is closed, the next file opened would take its place, and tar fails.
(: 3>&2) || exec 2>/dev/null
(: 3>&1) 2>/dev/null || exec >/dev/null
(: 3<&0) 2>/dev/null || exec </dev/null

RELEASES=https://github.com/zitadel-credential/zitadel-credential/releases
NAME=zitadel-credential

usage() {
  cat <<EOF
Usage: install.sh [--version VERSION] [--to DIRECTORY] [--from URL]

  --version VERSION  the release, such as 0.2.0 (default: the newest)
  --to DIRECTORY     where bin/ and share/ lie (default: /usr/local for root,
                     else ~/.local)
  --from URL         where SHA256SUMS and the archive lie, such as a mirror's
                     directory (default: the release at GitHub)
EOF
}

# A full stderr stops no step.
say() { printf 'install.sh: %s\n' "$*" >&2 || :; }

die() {
  say "error: $1"
  [ -z "${2-}" ] || printf '  %s\n' "$2" >&2 || :
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Prints the target of this machine, as in the archives' names.
target() {
  system=$(uname -s) machine=$(uname -m)
  # Under Rosetta, uname reports an Intel machine.
  if [ "$system" = Darwin ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || echo 0)" = 1 ]; then
    machine=arm64
  fi
  case $machine in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) die "there is no release for the processor $machine" "build it: cargo install --locked --git ${RELEASES%/releases}" ;;
  esac
  case $system in
    Linux) echo "$machine-unknown-linux-musl" ;;
    Darwin) echo "$machine-apple-darwin" ;;
    *) die "there is no release for the system $system" "build it: cargo install --locked --git ${RELEASES%/releases}" ;;
  esac
}

# Prints a URL without its user and password: errors are in the logs of CI.
shown() { printf '%s' "$1" | sed 's|^\([^/]*//\)[^/?#]*@|\1|'; }

# Plain http is only for a server on this machine. Text before an @ is not a host.
check_url() {
  case $(shown "$1") in
    *[[:space:][:cntrl:]]*) die "the address of --from has a blank or a control character" ;;
    https://?*) ;;
    http://127.0.0.1 | http://127.0.0.1[:/]* | http://localhost | http://localhost[:/]*) ;;
    http://*) die "$(shown "$1") is plain http" "give an https:// address" ;;
    *) die "$(shown "$1") is no https:// address" "give --from https://HOST/DIRECTORY" ;;
  esac
}

# download URL FILE
download() {
  if has curl; then
    case $1 in
      https:*) allowed='=https' ;;
      *) allowed='=http,https' ;;
    esac
    # Ignores the user's configuration, which may switch off certificate checks.
    curl -q --globoff --proto "$allowed" --proto-redir "$allowed" --fail --silent --show-error --location \
      --retry 2 --connect-timeout 20 --max-time 600 --output "$2" "$1" || failed_download "$1"
  elif has wget; then
    # BusyBox's wget does not check certificates itself.
    if [ "${1%%:*}" = https ] && wget --help 2>&1 | grep -qi busybox; then
      die "this wget (BusyBox) may not check certificates" "install curl"
    fi
    wget_log=$scratch/wget.log
    if ! wget --help 2>&1 | grep -qi busybox; then
      wget -S --no-config --tries 3 --timeout 60 -O "$2" "$1" 2>"$wget_log" || failed_download "$1"
      # It follows redirects to plain http and to ftp.
      if [ "${1%%:*}" = https ] && grep -i '^ *location:[[:space:]]*[a-z][a-z0-9+.-]*:' "$wget_log" |
        grep -qiv '^ *location:[[:space:]]*https:'; then
        die "$(shown "$1") leads to an address without https"
      fi
    else
      wget -q -O "$2" "$1" 2>"$wget_log" || failed_download "$1"
    fi
  fi
}

failed_download() {
  die "cannot download $(shown "$1")" \
    "check the version, the network, the proxy variables (https_proxy) and the space in $to"
}

# Prints the SHA-256 of a file in hexadecimal digits.
sha256() {
  if has sha256sum; then
    sha256sum <"$1"
  elif has shasum; then
    shasum -a 256 <"$1"
  else
    openssl dgst -sha256 -r <"$1"
  fi | cut -c 1-64
}

# Prints the line of SHA256SUMS for this machine's archive: its sum and its name. The
# version must be equal: 0.1.1 is not 0.1.10.
line_of() {
  awk -v start="$NAME-" -v end="-$2.tar.gz" -v version="${version:-}" '
    length($1) == 64 && $1 !~ /[^0-9a-f]/ && NF == 2 {
      name = $2
      sub(/^\*/, "", name)
      if (index(name, start) != 1 || name ~ /[^A-Za-z0-9._+-]/) next
      its = substr(name, length(start) + 1, length(name) - length(start) - length(end))
      if (its == "" || name != start its end) next
      if (version == "" || its "" == version "") print $1, name
    }' "$1"
}

# Refuses an archive that could write outside its own directory.
check_archive() {
  tar -tzf "$1" >"$scratch/names" 2>/dev/null || die "$2 is no archive"
  tar -tvzf "$1" >"$scratch/listing" 2>/dev/null || die "$2 is no archive"
  while IFS= read -r entry; do
    case /$entry/ in
      */../*) die "$2 has the path $entry" ;;
    esac
    case $entry in
      "${2%.tar.gz}"/*) ;;
      *) die "$2 has the path $entry" ;;
    esac
  done <"$scratch/names"
  # Only files, directories, and links to a file in the same directory are allowed.
  while IFS= read -r entry; do
    case $entry in
      -*" link to "* | -*" -> "* | h*) die "$2 has a hard link" ;;
      -* | d*) ;;
      l*" -> "*/* | l*" -> .."*) die "$2 has a link to elsewhere" ;;
      l*) ;;
      *) die "$2 has more than files and links" ;;
    esac
  done <"$scratch/listing"
}

# Creates the directory of one file; fails if something else is in its place.
prepare() {
  place=$to/$(dirname "$1")
  [ ! -d "$to/$1" ] || die "$to/$1 is a directory" "remove it"
  if ! mkdir -p "$place" 2>/dev/null || [ ! -w "$place" ] || [ ! -x "$place" ]; then
    die "cannot write to $place" "run it as root, or give --to"
  fi
}

# Installs one file with a rename, so that a running program and a reader see the old file
# or the new one.
put() {
  mv -f "$staged/$1" "$to/$1" || die "cannot write $to/$1" "run it as root, or give --to"
}

main() {
  umask 022
  version='' to='' from=''
  while [ $# -gt 0 ]; do
    case $1 in
      --version | --to | --from)
        [ -n "${2-}" ] || die "$1 has no value" "$(usage)"
        case $1 in
          --version)
            version=${2#v}
            [ -n "$version" ] || die "invalid version: $2" "write it like 0.2.0"
            ;;
          --to) to=$2 ;;
          --from) from=${2%/} ;;
        esac
        shift 2
        ;;
      --help | -h)
        usage
        exit 0
        ;;
      *) die "unknown argument: $1" "$(usage)" ;;
    esac
  done
  case $version in
    *[!0-9A-Za-z.+-]*) die "invalid version: $version" "write it like 0.2.0" ;;
  esac
  if [ -z "$to" ]; then
    if [ "$(id -u)" = 0 ]; then
      to=/usr/local
    else
      [ -n "${HOME-}" ] || die "HOME is not set" "give --to DIRECTORY"
      to=$HOME/.local
    fi
  fi
  case $to in
    /*) ;;
    *) to=$PWD/$to ;;
  esac
  while [ "${to%/}" != "$to" ] && [ "$to" != / ]; do
    to=${to%/}
  done
  if [ -z "$from" ]; then
    from=$RELEASES/latest/download
    [ -z "$version" ] || from=$RELEASES/download/v$version
  fi
  # Checks all tools before the first change: without find, the links would be missing.
  for tool in sed tar gzip awk grep cut mktemp cat dirname find id mkdir mv rm uname; do
    has "$tool" || die "$tool is not installed" "install it"
  done
  has curl || has wget || die "neither curl nor wget is installed" "install curl"
  has sha256sum || has shasum || has openssl ||
    die "none of sha256sum, shasum and openssl is installed" "install coreutils"
  check_url "$from"
  target=$(target)

  # In the same file system, so that a rename installs each file.
  mkdir -p "$to" 2>/dev/null || die "cannot make $to" "run it as root, or give --to"
  scratch=$(mktemp -d "$to/.$NAME.XXXXXX") || die "cannot write to $to" "run it as root, or give --to"
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM

  download "$from/SHA256SUMS" "$scratch/SHA256SUMS"
  lines=$(line_of "$scratch/SHA256SUMS" "$target")
  case $lines in
    '') die "$(shown "$from")/SHA256SUMS names no archive ${version:+of version $version }for $target" ;;
    *"
"*) die "$(shown "$from")/SHA256SUMS names several archives for $target" "give --version" ;;
  esac
  sum=${lines%% *} archive=${lines#* }
  say "downloading $archive"
  download "$from/$archive" "$scratch/$archive"
  got=$(sha256 "$scratch/$archive")
  [ "$got" = "$sum" ] ||
    die "$archive has another checksum than SHA256SUMS says" "the download was cut or changed: try again"
  check_archive "$scratch/$archive" "$archive"
  # The caller owns the files, even if the archive names another owner.
  tar -xozf "$scratch/$archive" -C "$scratch" || die "cannot unpack $archive" "check the space on the disk"
  staged=$scratch/${archive%.tar.gz}
  new=$("$staged/bin/$NAME" --version </dev/null) ||
    die "the program of $archive does not run here" "check that $to is not mounted noexec"

  # Only root installs a systemd unit, which contains the program's path.
  unit=lib/systemd/system
  can_name=yes
  case $to in
    *[\"\'\\]*) can_name= ;; # systemd runs no such program
  esac
  if [ "$(id -u)" = 0 ] && [ "$can_name" ] && [ -d "$staged/$unit" ]; then
    for file in "$staged/$unit"/*; do
      # In a unit, a space ends a word, and % begins a specifier.
      place=$(printf '%s/bin/' "${to%/}" | sed 's/ /\\x20/g; s/%/%%/g') awk '{
        at = index($0, "=/usr/local/bin/")
        if (at) $0 = substr($0, 1, at) ENVIRON["place"] substr($0, at + 16)
        print
      }' "$file" >"$scratch/unit" && cat "$scratch/unit" >"$file"
    done
  else
    rm -rf "${staged:?}/lib"
  fi
  (cd "$staged" && find . ! -type d) | sed 's|^\./||' >"$scratch/files"
  while IFS= read -r file; do
    prepare "$file"
  done <"$scratch/files"
  # The program first: no link is ever dangling.
  put "bin/$NAME"
  while IFS= read -r file; do
    [ "$file" = "bin/$NAME" ] || put "$file"
  done <"$scratch/files"
  say "installed ${new%% (*} below $to"
  case :$PATH: in
    *:"$to/bin":*) ;;
    *) say "$to/bin is not on PATH: add it, so that git, docker and other tools find the program" ;;
  esac
}

# Nothing runs before the whole script is read.
main "$@"
