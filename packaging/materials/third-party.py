#!/usr/bin/env python3
"""Prints the licences of the linked crates, as the licences require.

    packaging/materials/third-party.py TARGET

A crate that offers Apache-2.0 is used under it: there is one text for all of them, and each
crate's own notices. For any other crate, each licence file in it is printed in full.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from crates import ROOT, crates

NOTICE = re.compile(r"(copyright|notice)\b.*", re.IGNORECASE)
LICENCE = re.compile(r"(copying|copyright|licen[cs]e|notice|unlicense)\b.*", re.IGNORECASE)
RULE = "-" * 80
DOCUMENTS = Path("/usr/share/doc")


def sources(target):
    """Returns the directory of each crate's files."""
    metadata = subprocess.run(
        ["cargo", "metadata", "--locked", "--filter-platform", target, "--format-version", "1"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    return {(package["name"], package["version"]): Path(package["manifest_path"]).parent
            for package in json.loads(metadata)["packages"]}


def section(title, text):
    text = text.strip("\n")
    print(f"{RULE}\n{title}\n{RULE}\n\n{text}\n")


def main():
    target = sys.argv[1]
    _, others = crates(target)
    linked = [crate for crate in others if crate.linked]
    where = sources(target)

    print("Linked into zitadel-credential, beside Rust's standard library (MIT OR Apache-2.0).")
    print("Each is unchanged, and its source is at the address beside it:\n")
    for crate in linked:
        print(f"  {crate.name} {crate.version} ({crate.licence}) {crate.repository}")
    print()
    section("Apache-2.0, of each that may be had under it", (ROOT / "LICENSE-APACHE").read_text())
    if target.endswith("-musl"):
        _, _, permission = (ROOT / "LICENSE-MIT").read_text().partition("Permission is")
        section("musl, the C library (MIT), https://musl.libc.org",
                f"Copyright 2005-2020 Rich Felker, et al.\n\nPermission is{permission}")
    if "-windows-" in target:
        for title, package in (("the C library's startup code, mingw-w64", "mingw-w64-x86-64-dev"),
                               ("libgcc, with its runtime library exception", "gcc-mingw-w64-base")):
            section(title, (DOCUMENTS / package / "copyright").read_text())
    for crate in linked:
        apache = "Apache-2.0" in crate.licence.split(" OR ")
        wanted = NOTICE if apache else LICENCE
        directory = where[crate.name, crate.version]
        files = sorted(file for file in directory.rglob("*")
                       if wanted.fullmatch(file.name) and file.suffix in ("", ".md", ".txt"))
        if not files and not apache:
            sys.exit(f"{crate.name} {crate.version} ({crate.licence}) brings no licence file")
        for file in files:
            section(f"{crate.name} {crate.version}: {file.relative_to(directory)}", file.read_text())


if __name__ == "__main__":
    main()
