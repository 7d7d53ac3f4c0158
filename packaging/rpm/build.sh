#!/usr/bin/env bash
# Makes the rpm of a tree of packaging/stage.sh, whose pages are packed already:
#
#     packaging/rpm/build.sh VERSION TARGET DIRECTORY      (times: SOURCE_DATE_EPOCH)
#
# By rpmbuild: cargo-generate-rpm knows no links.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/../.."
version=$1 target=$2 directory=$3
# rpmbuild takes no blanks in paths.
work=$(mktemp -d /tmp/rpm-XXXXXX)
trap 'rm -rf "$work"' EXIT
cp -a target/tree "$work/tree"
install -m 644 LICENSE-* "$work/tree/share/doc/zitadel-credential/"
touch --date="@$SOURCE_DATE_EPOCH" "$work"/tree/share/doc/zitadel-credential/LICENSE-*
# Nothing of the builder's own settings.
HOME=$work rpmbuild --quiet -bb --target "${target%%-*}" \
  --define "_topdir $work" --define "_tmppath $work" --define "version $version" \
  --define "_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm" \
  --define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1' \
  --define '_buildhost localhost' packaging/rpm/zitadel-credential.spec >/dev/null
install -m 644 "$work"/RPMS/*.rpm "$directory"
