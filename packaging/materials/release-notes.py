#!/usr/bin/env python3
"""Prints one version's section of CHANGELOG.md, as a release's notes.

    packaging/materials/release-notes.py VERSION

A version without its own section yet is the unreleased one.
"""

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parents[2] / "CHANGELOG.md"


def main():
    version = sys.argv[1]
    parts = re.split(r"^## \[(.+?)\].*$", CHANGELOG.read_text(), flags=re.MULTILINE)
    notes = dict(zip(parts[1::2], parts[2::2]))
    text = notes.get(version) or notes.get("Unreleased", "")
    if not text.strip():
        sys.exit(f"CHANGELOG.md has nothing to say of {version}")
    # Links to other versions are at the file's end.
    text = re.sub(r"^\[.+?\]: .*$", "", text, flags=re.MULTILINE)
    print(f"# zitadel-credential {version}\n\n{text.strip()}")


if __name__ == "__main__":
    main()
