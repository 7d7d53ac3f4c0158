#!/usr/bin/env python3
"""Packs the program for Windows, and writes winget's and scoop's manifests for the zip.

    packaging/windows/package.py VERSION TARGET TREE DIST

Equal trees give equal bytes: times are SOURCE_DATE_EPOCH's. Both managers put the
directory of the programs on PATH: the tools find all names there.
"""

import datetime
import hashlib
import json
import os
import sys
import zipfile
from pathlib import Path

HOME = "https://github.com/zitadel-credential/zitadel-credential"
IDENTIFIER = "ZITADEL.Credential"
# The schema version of winget's manifests, which each manifest names.
SYNTAX = "1.10.0"
SUMMARY = "Access tokens of ZITADEL service users for kubectl, git, docker and others"
LICENCE = "MIT OR Apache-2.0"


def pack(tree, archive, time):
    """Packs all files of a directory, below its name."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for file in sorted(file for file in tree.rglob("*") if file.is_file()):
            name = file.relative_to(tree.parent).as_posix()
            entry = zipfile.ZipInfo(name, time.timetuple()[:6])
            entry.create_system = 3
            entry.external_attr = (0o100000 | file.stat().st_mode & 0o777) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, file.read_bytes())


def scalar(value):
    """Returns a value in YAML; a string in quotes is the same in JSON."""
    return json.dumps(value)


def yaml(value, indent=""):
    """Returns the lines of a mapping or a list."""
    lines = []
    pairs = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in pairs:
        start = f"{indent}- " if key is None else f"{indent}{key}: "
        if isinstance(item, (dict, list)):
            inner = yaml(item, indent + "  ")
            if key is None:
                # A mapping begins on the line of its dash.
                lines += [start + inner[0].lstrip(), *inner[1:]]
            else:
                lines += [start.rstrip(), *inner]
        else:
            lines.append(start + scalar(item))
    return lines


def winget(version, url, digest, day, programs):
    """Returns the three manifests of a version, by kind."""
    head = {"PackageIdentifier": IDENTIFIER, "PackageVersion": version}
    def manifest(kind, body):
        return {**head, **body, "ManifestType": kind, "ManifestVersion": SYNTAX}
    return {
        "version": manifest("version", {"DefaultLocale": "en-US"}),
        "installer": manifest("installer", {
            "Platform": ["Windows.Desktop"],
            "MinimumOSVersion": "10.0.0.0",
            "InstallerType": "zip",
            "NestedInstallerType": "portable",
            "NestedInstallerFiles": [
                {"RelativeFilePath": program.replace("/", "\\"),
                 "PortableCommandAlias": Path(program).stem} for program in programs],
            "ArchiveBinariesDependOnPath": True,
            "Commands": [Path(program).stem for program in programs],
            "ReleaseDate": day,
            "Installers": [{"Architecture": "x64", "InstallerUrl": url,
                            "InstallerSha256": digest.upper()}],
        }),
        "defaultLocale": manifest("defaultLocale", {
            "PackageLocale": "en-US",
            "Publisher": "The zitadel-credential authors",
            "PublisherUrl": HOME,
            "PublisherSupportUrl": f"{HOME}/issues",
            "PackageName": "zitadel-credential",
            "PackageUrl": HOME,
            "License": LICENCE,
            "LicenseUrl": f"{HOME}/blob/v{version}/LICENSE-MIT",
            "ShortDescription": SUMMARY,
            "Moniker": "zitadel-credential",
            "Tags": ["credential-helper", "docker", "git", "kubectl", "oauth2", "zitadel"],
            "ReleaseNotesUrl": f"{HOME}/releases/tag/v{version}",
        }),
    }


def scoop(version, url, digest, directory):
    """Returns scoop's manifest."""
    return {
        "version": version,
        "description": SUMMARY,
        "homepage": HOME,
        "license": {"identifier": LICENCE.replace(" OR ", "|"), "url": f"{HOME}/blob/v{version}/LICENSE-MIT"},
        "architecture": {"64bit": {"url": url, "hash": digest, "extract_dir": directory}},
        # Not `bin`: scoop's shims are separate programs, which call the program under one name.
        "env_add_path": "bin",
        "checkver": {"github": HOME},
        "autoupdate": {
            "architecture": {"64bit": {
                "url": url.replace(version, "$version"),
                "extract_dir": directory.replace(version, "$version"),
                "hash": {"url": "$baseurl/SHA256SUMS"}}},
        },
    }


def main():
    version, target, tree, dist = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    time = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    archive = dist / f"zitadel-credential-{version}-{target}.zip"
    pack(tree, archive, time)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    url = f"{HOME}/releases/download/v{version}/{archive.name}"
    programs = sorted(file.relative_to(tree.parent).as_posix() for file in tree.glob("bin/*.exe"))
    kinds = {"version": "", "installer": ".installer", "defaultLocale": ".locale.en-US"}
    manifests = winget(version, url, digest, time.strftime("%Y-%m-%d"), programs)
    for kind, manifest in manifests.items():
        schema = f"https://aka.ms/winget-manifest.{kind}.{SYNTAX}.schema.json"
        lines = [f"# yaml-language-server: $schema={schema}", "", *yaml(manifest), ""]
        (dist / f"{IDENTIFIER}{kinds[kind]}.yaml").write_text("\n".join(lines))
    manifest = json.dumps(scoop(version, url, digest, tree.name), indent=4)
    (dist / "zitadel-credential.json").write_text(manifest + "\n")


if __name__ == "__main__":
    main()
