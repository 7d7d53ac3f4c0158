#!/usr/bin/env python3
"""Prints CHANGELOG.md in Debian's format (deb-changelog(5)): one entry for each release,
the newest first.

    packaging/deb/changelog.py VERSION MAINTAINER

Unreleased changes are listed under VERSION, at SOURCE_DATE_EPOCH.
"""

import os
import re
import sys
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADING = re.compile(r"## \[(?P<name>[^]]+)\](?: - (?P<day>\d{4}-\d\d-\d\d))?")


def releases():
    """Returns each release's name, its day or None, and its points."""
    found = []
    for line in (ROOT / "CHANGELOG.md").read_text().splitlines():
        if heading := HEADING.match(line):
            found.append((heading["name"], heading["day"], []))
        elif not found or line.startswith(("#", "[")):
            continue
        elif line.startswith("- "):
            found[-1][2].append(line[2:])
        elif line.strip() and found[-1][2]:
            found[-1][2][-1] += " " + line.strip()
    return found


def main():
    version, maintainer = sys.argv[1:]
    now = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)
    for name, day, points in releases():
        name = version if name == "Unreleased" else f"{name}-1"
        when = datetime.fromisoformat(f"{day}T00:00:00+00:00") if day else now
        if not points:
            continue
        print(f"zitadel-credential ({name}) unstable; urgency=medium\n")
        for point in points:
            # A point is one Markdown paragraph, and lines are limited here.
            words = point.replace("`", "").split()
            line = "  *"
            for word in words:
                if len(line) + 1 + len(word) > 78:
                    print(line)
                    line = "   "
                line += " " + word
            print(line)
        print(f"\n -- {maintainer}  {format_datetime(when)}\n")


if __name__ == "__main__":
    main()
