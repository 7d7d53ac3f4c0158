#!/usr/bin/env python3
"""Prints the software bill of materials of the binary: CycloneDX 1.5, JSON.

    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) packaging/materials/sbom.py TARGET

A crate that only runs at build (a proc macro and its dependencies) has the scope
"excluded". Nothing in it is random or depends on this machine: equal sources give equal
bytes.
"""

import datetime
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from crates import crates


def component(crate, kind):
    """Returns a crate as a CycloneDX component; our own has no archive to hash."""
    optional = {}
    if crate.checksum:
        optional["hashes"] = [{"alg": "SHA-256", "content": crate.checksum}]
    if crate.repository:
        optional["externalReferences"] = [{"type": "vcs", "url": crate.repository}]
    return {
        "type": kind,
        "bom-ref": crate.purl,
        "name": crate.name,
        "version": crate.version,
        "scope": "required" if crate.linked else "excluded",
        "licenses": [{"expression": crate.licence}],
        "purl": crate.purl,
        **optional,
    }


def rustc(*arguments):
    """Returns the output of the build's compiler."""
    run = subprocess.run([os.environ.get("RUSTC", "rustc"), *arguments], check=True,
                         capture_output=True, text=True)
    return run.stdout.strip()


def musl_version(target):
    """Returns the linked C library's version, as the library reports it."""
    library = Path(rustc("--print", "target-libdir", "--target", target), "self-contained/libc.a")
    return re.search(rb"\0(\d+\.\d+\.\d+)\0", library.read_bytes())[1].decode()


def main():
    target = sys.argv[1]
    ours, others = crates(target)
    built = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    # Linked as well: Rust's standard library, and in a static program a C library.
    beside = {"rustc": rustc("--version")}
    if target.endswith("-musl"):
        beside["musl"] = musl_version(target)
    json.dump({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": built.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": component(ours, "application"),
            "properties": [
                {"name": "cdx:rustc:sbom:target:triple", "value": target},
                *({"name": f"zitadel-credential:{name}", "value": value}
                  for name, value in beside.items()),
            ],
        },
        "components": [component(crate, "library") for crate in others],
        "dependencies": [{"ref": crate.purl, "dependsOn": sorted(crate.needs)}
                         for crate in (ours, *others)],
    }, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
