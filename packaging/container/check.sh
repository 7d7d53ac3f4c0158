#!/usr/bin/env bash
# Builds the container with buildah, without its first stage, whose base image needs a
# registry: the packages' program replaces the one that is built there.
#
#     packaging/release.sh && packaging/container/check.sh
#
# Then another image copies the files with `COPY --from`, as a user's would. Needs root.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/../.."
file=packaging/container/Dockerfile

fail() { echo "packaging/container/check.sh: $1" >&2; exit 1; }

if ((EUID)); then
  [[ ${CI-} != true ]] || fail "needs root"
  echo "packaging/container/check.sh: not checked: needs root" >&2
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
store=(--root "$work/store" --runroot "$work/run" --storage-driver vfs)
build() { buildah "${store[@]}" build --quiet --isolation chroot "$@" >/dev/null; }

# The steps of the first stage after the build, below a directory instead of /.
stage=$work/stage
install -D target/tree/bin/zitadel-credential "$stage/target/release/zitadel-credential"
commands=$(sed -n '/^RUN cargo build/,/[^\\]$/p' "$file" | sed '1d; s/^ *&& /  /; s/\\$//; s/ *$/ /' |
  tr -d '\n' | sed "s|  mkdir|\n mkdir|g; s|  cp |\n cp |g; s|  for |\n for |g")
(umask 022 && sh -euc "$(sed -E "s#([ \"])/(target|image|cache)#\1$stage/\2#g" <<<"$commands")")

sed -n '/^FROM scratch/,$p' "$file" >"$work/Dockerfile"
build --build-context "build=$stage" -f "$work/Dockerfile" -t zitadel-credential "$work"
{ echo 'FROM scratch'; sed -n 's/^#  *\(COPY --from=zitadel-credential\)/\1/p' "$file"; } >"$work/other"
[[ $(wc -l <"$work/other") == 2 ]] || fail "$file shows no COPY --from"
build -f "$work/other" -t other "$work"

mounted() { buildah "${store[@]}" mount "$(buildah "${store[@]}" from "$1")"; }
image=$(mounted zitadel-credential)
other=$(mounted other)
# The links must be those of the packages.
for tree in "$image/usr/bin" "$other/usr/local/bin"; do
  diff <(ls -1 target/tree/bin) <(ls -1 "$tree") || fail "$tree has other names than the packages"
  for link in "$tree"/*-zitadel; do
    [[ $(readlink "$link") == zitadel-credential ]] || fail "$link is no link to the program"
  done
done
# buildah makes it with mode 755, docker with the source's 700.
[[ $(stat -c '%a %u:%g' "$image/cache") =~ ^7[05][05]\ 65532:65532$ ]] || fail "/cache is not the user's own"
[[ -s $image/etc/ssl/certs/ca-certificates.crt ]] || fail "there are no certificates"
# Runs as the image's user, in a root without other files.
said=$(chroot --userspec=65532:65532 "$image" /usr/bin/zitadel-credential --version)
[[ $said == zitadel-credential* ]] || fail "it says $said"
inspected=$(buildah "${store[@]}" inspect --type image --format '{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}' zitadel-credential)
[[ $inspected == "65532:65532 [/usr/bin/zitadel-credential]" ]] || fail "it runs as $inspected"
buildah "${store[@]}" rm --all >/dev/null
echo "the container has the packages' names, and another image takes them"
