#!/usr/bin/env python3
"""Prints the software bill of materials of the binary: CycloneDX 1.5, JSON.

    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) packaging/materials/sbom.py TARGET

A crate that only runs at build (a proc macro and what it needs) has the scope
"excluded". Nothing in it is random or of this machine: equal sources give equal
bytes.
"""

import datetime
import json
import os
import subprocess
import sys

from crates import crates


def component(crate, kind):
    """A crate in CycloneDX's words; our own has no archive to hash."""
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


def main():
    target = sys.argv[1]
    ours, others = crates(target)
    built = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    rustc = subprocess.run([os.environ.get("RUSTC", "rustc"), "--version"], check=True, capture_output=True, text=True)
    json.dump({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": built.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": component(ours, "application"),
            "properties": [
                {"name": "cdx:rustc:sbom:target:triple", "value": target},
                # its standard library is linked as well
                {"name": "zitadel-credential:rustc", "value": rustc.stdout.strip()},
            ],
        },
        "components": [component(crate, "library") for crate in others],
        "dependencies": [{"ref": crate.purl, "dependsOn": sorted(crate.needs)}
                         for crate in (ours, *others)],
    }, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
