#!/usr/bin/env bash
# Holds Cargo.lock against the RustSec advisories: as fetched now, or by an
# earlier run. The database lies on a network that is not always there; without
# any copy of it nothing is checked, and that is said.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."

timeout --kill-after=5 60 cargo deny fetch db || echo "the advisories could not be fetched"
database=$(compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs/*/crates" || true)
if [[ $database ]]; then
  git -C "$database" log -1 --format="advisories of %cs"
  # which versions were yanked stands in the index
  timeout --kill-after=5 60 cargo deny fetch index || echo "the index could not be fetched"
  cargo deny --locked --offline check advisories
else
  echo "ADVISORIES WERE NOT CHECKED: no database"
fi
