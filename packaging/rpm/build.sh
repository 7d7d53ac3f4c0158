#!/usr/bin/env bash
# Builds the rpm from a tree of packaging/stage.sh, whose pages are already compressed:
#
#     packaging/rpm/build.sh VERSION TARGET DIRECTORY      (times: SOURCE_DATE_EPOCH)
#
# It uses rpmbuild, because cargo-generate-rpm does not support links.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/../.."
version=$1 target=$2 directory=$3
# rpmbuild accepts no spaces in paths.
work=$(mktemp -d /tmp/rpm-XXXXXX)
trap 'rm -rf "$work"' EXIT
cp -a target/tree "$work/tree"
install -m 644 LICENSE-* "$work/tree/share/doc/zitadel-credential/"
touch --date="@$SOURCE_DATE_EPOCH" "$work"/tree/share/doc/zitadel-credential/LICENSE-*
# Ignores the builder's own settings.
HOME=$work rpmbuild --quiet -bb --target "${target%%-*}" \
  --define "_topdir $work" --define "_tmppath $work" --define "version $version" \
  --define "_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm" \
  --define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1' \
  --define '_buildhost localhost' packaging/rpm/zitadel-credential.spec >/dev/null
install -m 644 "$work"/RPMS/*.rpm "$directory"
