#!/usr/bin/env python3
"""Checks the results of packaging/release.sh against cargo and the binary itself.

    packaging/release.sh && packaging/materials/check.py

The bill of materials and the licences must list exactly the crates that cargo links, the
binary's own list must contain all of them, and no file may show where it was built.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
TREE = ROOT / "target" / "tree"
BINARY = next(iter(sorted(TREE.glob("bin/zitadel-credential*"))), TREE / "bin")
BILL = DIST / "zitadel-credential.cdx.json"
LICENCES = DIST / "THIRD-PARTY.txt"
LARGEST = 4_500_000


def must(condition, complaint):
    if not condition:
        sys.exit(f"packaging/materials/check.py: {complaint}")


def must_equal(found, wanted, where):
    must(found == wanted, f"{where} lacks {sorted(wanted - found)}, has beyond {sorted(found - wanted)}")


def tree(target, edges):
    """Returns name and version of every crate except ours."""
    lines = subprocess.run(
        ["cargo", "tree", "--locked", "--target", target, "-e", edges, "--prefix", "none"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = {tuple(line.split()[:2]) for line in lines.splitlines()}
    return {(name, version[1:]) for name, version in found if name != "zitadel-credential"}


def crates_inside():
    """Returns name and version of each crate that cargo-auditable wrote into the binary."""
    # readelf supports every processor, objcopy only this machine's.
    sections = subprocess.run(["readelf", "--section-headers", "--wide", BINARY], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
    place = re.search(r" \.dep-v0 +\S+ +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+)", sections)
    must(place, f"{BINARY.name} has no list of crates")
    start, size = (int(number, 16) for number in place.groups())
    packed = BINARY.read_bytes()[start:start + size]
    packages = json.loads(zlib.decompress(packed))["packages"]
    return {(package["name"], package["version"]) for package in packages}


def libraries():
    """Returns the loader and the shared libraries that the binary names."""
    headers = subprocess.run(["readelf", "--program-headers", "--dynamic", "--wide", BINARY],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.findall(r"(?:interpreter: |Shared library: \[)([^]]+)", headers)


def has_random_address():
    """True if the kernel may load the binary at any address (static-pie)."""
    header = subprocess.run(["readelf", "--file-header", "--dynamic", "--wide", BINARY], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    return re.search(r"Type: +DYN ", header) and re.search(r"\(FLAGS_1\) +Flags:.* PIE", header)


def check_bill(bill, built_from, linked):
    must((bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5"), "not CycloneDX 1.5")
    must("serialNumber" not in bill, "the bill has a number of its own at each run")
    components = bill["components"]
    must_equal({(c["name"], c["version"]) for c in components}, built_from, BILL.name)
    must_equal({(c["name"], c["version"]) for c in components if c["scope"] == "required"},
               linked, f"{BILL.name}, scope required,")
    for c in components:
        version = re.escape(c["version"].replace("+", "%2B"))
        must(re.fullmatch(f"pkg:cargo/{c['name']}@{version}", c["purl"]), f"purl of {c}")
        must(all(entry["expression"] for entry in c["licenses"]) and c["licenses"],
             f"licence of {c}")
        must(re.fullmatch("[0-9a-f]{64}", c["hashes"][0]["content"]), f"hash of {c}")
    refs = [c["bom-ref"] for c in (bill["metadata"]["component"], *components)]
    must(len(refs) == len(set(refs)) == len(built_from) + 1, "a bom-ref stands twice")
    must([d["ref"] for d in bill["dependencies"]] == refs
         and all(set(d["dependsOn"]) < set(refs) for d in bill["dependencies"]),
         "the dependencies are of other components")


def files_of(top):
    """Returns the content of a directory: the target of a link, or the bytes of a file."""
    return {str(file.relative_to(top)): str(file.readlink()) if file.is_symlink()
            else file.read_bytes() for file in top.rglob("*") if file.is_symlink() or file.is_file()}


def unpacked(package, scratch):
    """Returns the files of an archive or a package, which every user must be able to read."""
    top = Path(tempfile.mkdtemp(dir=scratch))
    if package.suffix == ".deb":
        subprocess.run(["dpkg-deb", "--extract", package, top], check=True)
    elif package.suffix == ".rpm":
        with open(package, "rb") as file:
            archive = subprocess.run(["rpm2archive", "-"], stdin=file, check=True,
                                     stdout=subprocess.PIPE).stdout
        subprocess.run(["tar", "-xpz", "-C", top], input=archive, check=True)
    elif package.suffix == ".zip":
        with zipfile.ZipFile(package) as files:
            for entry in files.infolist():
                file = top / entry.filename.partition("/")[2]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(files.read(entry))
                file.chmod(entry.external_attr >> 16)
    else:
        subprocess.run(["tar", "-xpf", package, "-C", top, "--strip-components", "1"], check=True)
    for file in top.rglob("*"):
        if file.is_file() and not file.is_symlink():
            wanted = 0o755 if file.parent.name == "bin" else 0o644
            must(file.stat().st_mode & 0o7777 == wanted,
                 f"{package.name}: the mode of {file.relative_to(top)}")
    return files_of(top)


def check_packages(target, version):
    """Checks that each contains exactly the tree of packaging/stage.sh."""
    tree = {name: content for name, content in files_of(TREE).items() if "/" in name}
    is_windows = "-windows-" in target
    program = BINARY.read_bytes()
    links = [content for name, content in tree.items()
             if name.startswith("bin/") and name != f"bin/{BINARY.name}"]
    must(links and all(content == (program if is_windows else BINARY.name) for content in links),
         "the tree's other names do not lead to the program")
    with tempfile.TemporaryDirectory() as scratch:
        kind = "zip" if is_windows else "tar.gz"
        packed = unpacked(DIST / f"zitadel-credential-{version}-{target}.{kind}", scratch)
        must(packed[f"bin/{BINARY.name}"] == program, "the archive has another program")
        plain = {re.sub(r"doc/zitadel-credential/changelog", "doc/zitadel-credential/CHANGELOG.md",
                        name).removesuffix(".gz") for name in tree}
        must_equal({name for name in packed if "/LICENSE-" not in name}, plain, "the archive")
        if "-linux-" not in target:
            return
        (deb,), (rpm,) = DIST.glob("*.deb"), DIST.glob("*.rpm")
        for package in (deb, rpm):
            packed = unpacked(package, scratch)
            for name, content in tree.items():
                if package is deb:
                    name = name.replace("zsh/site-functions", "zsh/vendor-completions")
                must(packed.get(f"usr/{name}") == content, f"{package.name}: {name}")


def main():
    bill = json.loads(BILL.read_text())
    target = next(p["value"] for p in bill["metadata"]["properties"]
                  if p["name"] == "cdx:rustc:sbom:target:triple")
    linked = tree(target, "normal,no-proc-macro")
    check_bill(bill, tree(target, "normal"), linked)

    # Elsewhere there are no tools that read the file.
    if "-linux-" in target:
        absent = linked - crates_inside()
        must(not absent, f"{BINARY.name} does not list {sorted(absent)}")
    if target.endswith("-linux-musl"):
        must(not libraries(), f"{BINARY.name} is not static: it loads {libraries()}")
        must(has_random_address(), f"{BINARY.name} is loaded at a fixed address")
    named = re.findall(r"^  (\S+) (\S+) \(", LICENCES.read_text(), re.MULTILINE)
    must_equal(set(named), linked, LICENCES.name)

    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True,
                            stdout=subprocess.PIPE, text=True).stdout.strip()
    version = bill["metadata"]["component"]["version"]
    provenance = (DIST / "PROVENANCE.txt").read_text()
    # The text of --version; the program may be for another processor.
    must(f"{version} ({commit} ".encode() in BINARY.read_bytes(),
         "the program is of another version or commit")
    must(commit in provenance and target in provenance, "the provenance is of another release")
    must(len((DIST / "RELEASE-NOTES.md").read_text()) > 200, "there are no release notes")
    sources = (DIST / f"zitadel-credential-{version}.tar.gz").read_bytes()
    must(hashlib.sha256(sources).hexdigest() in (DIST / "zitadel-credential.rb").read_text(),
         "the formula is of another archive")
    check_packages(target, version)

    size = BINARY.stat().st_size
    must(size <= LARGEST, f"{BINARY.name} has {size} bytes, of {LARGEST}")
    files = sorted(set(DIST.iterdir()) - {DIST / "SHA256SUMS"})
    unpacked = [file for file in TREE.rglob("*") if file.is_file()]
    for file in files + unpacked:
        for place in (ROOT, os.environ.get("CARGO_HOME", Path.home() / ".cargo")):
            must(str(place).encode() not in file.read_bytes(), f"{file.name} names {place}")
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"],
                   cwd=DIST, check=True)
    summed = [line.split()[1] for line in (DIST / "SHA256SUMS").read_text().splitlines()]
    must(summed == [file.name for file in files], "SHA256SUMS is of other files")
    print(f"{size} bytes, {len(linked)} crates linked, {len(bill['components'])} on the bill")


if __name__ == "__main__":
    main()
