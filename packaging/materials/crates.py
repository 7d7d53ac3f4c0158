"""The crates from which cargo builds the binary of one target.

It uses `cargo tree`, not `cargo metadata` as the common tools do: `cargo metadata` turns
on the features of the tests' crates too, and so lists crates that are never linked.
"""

import dataclasses
import re
import subprocess
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"(\d+)(\S+) v(\S+)[^|]*\|([^|]*)\|(.*)")

VALUE = re.compile(r'^(\w+) = "(.*)"$', re.MULTILINE)


@dataclasses.dataclass
class Crate:
    """One version of a crate; `linked` is false for a proc macro and its dependencies."""

    name: str
    version: str
    licence: str
    repository: str
    linked: bool = False
    checksum: str | None = None
    needs: set = dataclasses.field(default_factory=set)

    @property
    def purl(self):
        return f"pkg:cargo/{self.name}@{quote(self.version)}"


def lines(target, edges):
    """Each line of the tree: depth, name, version, licence and repository."""
    tree = subprocess.run(
        ["cargo", "tree", "--locked", "--target", target, "--edges", edges, "--prefix", "depth",
         "--no-dedupe", "--format", "{p}|{l}|{r}"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in tree.splitlines():
        depth, name, version, licence, repository = LINE.fullmatch(line).groups()
        # older crates write "or" as a slash
        yield int(depth), name, version, licence.replace("/", " OR "), repository


def crates(target):
    """Our own crate, and then the others by name and version."""
    found, path = {}, []
    for depth, *fields in lines(target, "normal"):
        crate = Crate(*fields)
        crate = found.setdefault((crate.name, crate.version), crate)
        path[depth:] = [crate]
        if depth:
            path[depth - 1].needs.add(crate.purl)
    for _, name, version, *_ in lines(target, "normal,no-proc-macro"):
        found[name, version].linked = True
    # Python has a TOML parser since 3.11; Ubuntu 22.04 has 3.10.
    lock = (ROOT / "Cargo.lock").read_text().split("[[package]]")
    for package in (dict(VALUE.findall(entry)) for entry in lock[1:]):
        if crate := found.get((package["name"], package["version"])):
            crate.checksum = package.get("checksum")
    ours, *others = found.values()
    return ours, sorted(others, key=lambda crate: (crate.name, crate.version))
