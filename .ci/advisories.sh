#!/usr/bin/env bash
# Checks Cargo.lock against the RustSec advisories, downloaded now or by an earlier run.
# Without a network and an earlier download, it checks nothing and prints a message.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."

timeout --kill-after=5 60 cargo deny fetch db || echo "the advisories could not be fetched"
database=$(compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs/*/crates" || true)
if [[ $database ]]; then
  git -C "$database" log -1 --format="advisories of %cs"
  # the index lists the yanked versions
  timeout --kill-after=5 60 cargo deny fetch index || echo "the index could not be fetched"
  cargo deny --locked --offline check advisories
else
  echo "ADVISORIES WERE NOT CHECKED: no database"
fi
