#!/usr/bin/env python3
"""Counts the instructions of one cached kubectl call of the plain build, from exec to exit.

    packaging/bench/instructions.py [--write]

Unlike a time, the count is the same at every run: it fails if the call takes over
15 % more instructions than instructions.txt allows. --write records the new count,
for a change that is worth it.
"""

import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from issuer import Issuer
from world import Command, build_plain, write_home

FIGURE = Path(__file__).resolve().with_name("instructions.txt")
CEILING = 1.15


def count():
    # The home's path, the port and the token have the same length everywhere, and the
    # environment is empty.
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as scratch:
        scratch = Path(scratch)
        with Issuer() as issuer:
            binary = build_plain(scratch / "bin")
            home = write_home(scratch / "home", issuer)
            Command("token", [binary, "token"], home).output()
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", binary, "kubectl"],
            env={"HOME": str(home)}, stdin=subprocess.DEVNULL, check=True,
            capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", run.stderr)[1])


def built_with():
    version = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    fields = dict(line.split(": ") for line in version.splitlines() if ": " in line)
    return f"rustc {fields['release']}, {fields['host']}, {' '.join(platform.libc_ver())}"


def main():
    counted, tools = count(), built_with()
    if "--write" in sys.argv[1:]:
        FIGURE.write_text(f"{counted}\n{tools}\n")
    figure, tools_then = FIGURE.read_text().splitlines()
    ratio = counted / int(figure)
    print(f"cached kubectl: {counted} instructions, {ratio:.3f} of the {figure} on record")
    if tools != tools_then:
        print(f"counted with {tools}; the record with {tools_then}")
    if ratio > CEILING:
        sys.exit(f"more than {CEILING} of the record: see what was added to the cached path,"
                 " or put the new count on record with --write")


main()
