#!/usr/bin/env python3
"""Installs the release in dist/ with install.sh, from a server on loopback.

    packaging/release.sh && packaging/install/check.py

With each shell, it installs as root and as another user, and again over an existing
installation. It also checks failures: a wrong checksum, a cut download, an archive that writes
elsewhere, a missing tool, a directory without write permission, a signal. Existing files must
then be unchanged.
"""

import hashlib
import http.server
import io
import os
import platform
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import hostile

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("install.sh")
PROGRAM = "zitadel-credential"
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
TOOLS = ["awk", "cat", "cut", "curl", "dirname", "find", "grep", "gzip", "id", "mkdir", "mktemp", "mv",
         "rm", "sed", "sh", "sha256sum", "tar", "uname", "wget"]
NOBODY = 65534


class Releases(http.server.BaseHTTPRequestHandler):
    """Serves files; one without content is cut after half of its length."""

    files, cut, slow, is_begun = {}, set(), threading.Event(), threading.Event()
    asked, elsewhere = [], {}

    def do_GET(self):
        self.asked.append(self.path)
        content = self.files.get(self.path)
        if self.path in type(self).elsewhere:
            self.send_response(302)
            self.send_header("Location", self.elsewhere[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.path in self.cut:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        if self.slow.is_set() and self.path.endswith(".gz"):
            self.wfile.write(content[:1000])
            self.wfile.flush()
            self.is_begun.set()
            time.sleep(20)
        try:
            self.wfile.write(content)
        except OSError:
            pass

    def log_message(self, *_):
        pass


def archive_of(members, owner=0):
    """Returns a gzipped tar of (name, kind, content or target)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, kind, content in members:
            entry = tarfile.TarInfo(name)
            entry.type, entry.uid = kind, owner
            if kind == tarfile.REGTYPE:
                entry.size, entry.mode = len(content), 0o755
                tar.addfile(entry, io.BytesIO(content))
            else:
                entry.linkname = content
                tar.addfile(entry)
    return buffer.getvalue()


class Check:
    def __init__(self, scratch):
        (self.archive,) = (ROOT / "dist").glob(
            f"{PROGRAM}-*-{platform.machine()}-*-linux-musl.tar.gz")
        self.version = self.archive.name.removeprefix(f"{PROGRAM}-").split("-")[0]
        self.scratch = scratch
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Releases)
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.count = 0
        self.paths = {shell: self.tools(shell) for shell in SHELLS}
        self.release("/good", self.archive.read_bytes())

    def release(self, path, content, name=None, sums=None):
        """Serves an archive below a path, with its sums or the given text."""
        name = name or self.archive.name
        Releases.files[f"{path}/{name}"] = content
        sums = sums or f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        Releases.files[f"{path}/SHA256SUMS"] = sums.encode()
        return f"{self.url}{path}"

    def directory(self, name="to"):
        self.count += 1
        place = self.scratch / f"{self.count}" / name
        place.parent.mkdir()
        place.parent.chmod(0o777)
        return place

    def tools(self, shell, *without):
        """Returns a directory for PATH without these tools, with BusyBox's tools if it is used."""
        place = self.directory("bin")
        place.mkdir()
        for tool in set(TOOLS) - set(without):
            of_busybox = shell == "busybox" and tool != "curl"
            (place / tool).symlink_to(shutil.which("busybox" if of_busybox else tool))
        return place

    def run(self, shell, *arguments, as_nobody=False, path=None, home=None, variables=(), before=(),
            **others):
        path = path or self.paths[shell]
        words = [*SHELLS[shell], str(SCRIPT), *map(str, arguments)]
        words[0] = shutil.which(words[0])
        words = [*before, *words]
        words[0] = shutil.which(words[0])
        if as_nobody:
            user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            words = [shutil.which("setpriv"), *user, *words]
        environment = {"PATH": str(path)}
        if home:
            environment["HOME"] = str(home)
        return subprocess.run(words, env=environment | dict(variables), stdin=subprocess.DEVNULL,
                              cwd=self.scratch, capture_output=True, text=True, timeout=120,
                              check=False, **others)

    def installed(self, place, run):
        """Checks that exactly the archive's files are installed."""
        must(run.returncode == 0, f"{run.args} failed: {run.stderr}")
        said = subprocess.run([place / "bin" / PROGRAM, "--version"], capture_output=True,
                              text=True, check=True, timeout=60)
        must(self.version in said.stdout, f"it says {said.stdout}")
        link = place / "bin/git-credential-zitadel"
        must(os.readlink(link) == PROGRAM, f"{link} is no link to {PROGRAM}")
        must((place / "share/man/man1").is_dir(), "there are no manual pages")
        must(not leftovers(place), f"it left {leftovers(place)}")

    def refused(self, place, run, because):
        must(run.returncode != 0, f"{run.args} went well, in spite of {because}")
        must(because in run.stderr, f"in place of {because!r} it says {run.stderr!r}")
        must(not leftovers(place), f"it left {leftovers(place)}")


class Under:
    """Runs the check with one shell."""

    def __init__(self, check, shell):
        self.check, self.shell, self.is_busybox = check, shell, shell == "busybox"
        self.nobody = NOBODY

    def __getattr__(self, name):
        return getattr(self.check, name)

    def tools(self, *without):
        return self.check.tools(self.shell, *without)

    def run(self, *arguments, bin_of=None, variables=(), **others):
        if bin_of:
            variables = {"PATH": f"{self.paths[self.shell]}:{bin_of}/bin"}
        return self.check.run(self.shell, *arguments, variables=variables, **others)


def leftovers(place):
    return sorted(place.glob(f".{PROGRAM}*")) if os.access(place, os.R_OK) else []


def must(condition, complaint):
    if not condition:
        sys.exit(f"packaging/install/check.py: {complaint}")


def check_good(check, shell):
    place = check.directory("with a space")
    run = check.run(shell, "--to", place, "--from", f"{check.url}/good/")
    check.installed(place, run)
    must("not on PATH" in run.stderr, "it does not name PATH")
    unit = place / f"lib/systemd/system/{PROGRAM}-agent@.service"
    must(hostile.executed(unit.read_text()) == f"{place}/bin/{PROGRAM}", f"the unit says {unit.read_text()}")
    # Again, over a running program: the file is replaced, not written to.
    before = (place / "bin" / PROGRAM).stat().st_ino
    again = check.run(shell, "--to", place, "--from", f"{check.url}/good", "--version",
                      f"v{check.version}")
    check.installed(place, again)
    must((place / "bin" / PROGRAM).stat().st_ino != before, "the program was not replaced")
    # The tools that can replace each other.
    for without in [["curl"], ["wget"], ["sha256sum"]]:
        tools = check.tools(shell, *without)
        if "sha256sum" in without:
            (tools / "openssl").symlink_to(shutil.which("openssl"))
        place = check.directory()
        run = check.run(shell, "--to", place, "--from", f"{check.url}/good", path=tools)
        check.installed(place, run)
    home = check.directory("home")
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    run = check.run(shell, "--from", f"{check.url}/good", as_nobody=True, home=home)
    check.installed(home / ".local", run)
    must(not (home / ".local/lib").exists(), "a user got a unit")


def check_refusals(check, shell):
    good = check.archive.read_bytes()
    name, top = check.archive.name, check.archive.name.removesuffix(".tar.gz")
    place = check.directory()
    kept = place / "bin" / PROGRAM
    kept.parent.mkdir(parents=True)
    kept.write_text("what was there")

    def refused(because, *arguments, **others):
        run = check.run(shell, "--to", place, *arguments, **others)
        check.refused(place, run, because)
        must(kept.read_text() == "what was there", f"it changed the program, in spite of {because}")

    def of(path, *arguments, **others):
        return ["--from", check.release(path, *arguments, **others)]

    file, link, hard = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
    refused("another checksum", *of("/changed", good[:-1] + b"x", sums=f"{'0' * 64}  {name}\n"))
    refused("names no archive", *of("/unnamed", good, sums=f"{'0' * 64}  other.tar.gz\n"))
    refused("names no archive", *of("/short", good, sums=f"{'0' * 63}  {name}\n"))
    refused("names no archive", *of("/path", good, sums=f"{'0' * 64}  {PROGRAM}-../../x-{name}\n"))
    refused("names no archive", *of("/empty", good, sums="\n"))
    refused("several archives", *of("/two", good, sums=f"{'0' * 64}  {name}\n" * 2))
    refused("names no archive of version 9.9", "--from", f"{check.url}/good", "--version", "9.9")
    refused("cannot download", "--from", f"{check.url}/missing")
    refused("cannot download", "--from", "http://127.0.0.1:1")
    Releases.cut = {f"/cut/{name}", f"/cutsums/SHA256SUMS"}
    refused("cannot download", *of("/cut", good))
    refused("cannot download", *of("/cutsums", good))
    refused("is no archive", *of("/text", b"<html>not found</html>"))
    refused("is no archive", *of("/half", good[: len(good) // 2]))
    for path, members in {
        "/up": [(f"{top}/../../up", file, b"x")],
        "/root": [("/tmp/escaped", file, b"x")],
        "/beside": [("other/bin/x", file, b"x")],
        "/link": [(f"{top}/bin", link, "/tmp"), (f"{top}/bin/x", file, b"x")],
        "/hard": [(f"{top}/x", hard, "/etc/passwd")],
        "/device": [(f"{top}/x", tarfile.CHRTYPE, "")],
    }.items():
        refused(f"{name} has ", *of(path, archive_of(members)))
    broken = archive_of([(f"{top}/bin/{PROGRAM}", file, b"#!/bin/sh\nexit 3\n")])
    refused("does not run here", *of("/broken", broken))
    refused("plain http", "--from", "http://example.org/x")
    refused("is no https:// address", "--from", "ftp://example.org/x")
    refused("is plain http", "--from", "http://localhost.example.org/x")
    refused("invalid version", "--version", "1/../2")
    refused("unknown argument", "--help-me")
    refused("has no value", "--version")
    refused("neither curl nor wget", "--from", f"{check.url}/good", path=check.tools(shell, "curl", "wget"))
    refused("none of sha256sum", "--from", f"{check.url}/good", path=check.tools(shell, "sha256sum"))
    refused("tar is not installed", "--from", f"{check.url}/good", path=check.tools(shell, "tar"))
    place.chmod(0o755)
    refused("cannot write to", "--from", f"{check.url}/good", as_nobody=True)
    run = check.run(shell, "--from", f"{check.url}/good", as_nobody=True)
    must("HOME is not set" in run.stderr, f"without HOME it says {run.stderr}")


def check_hostile(check, shell):
    under = Under(check, shell)
    hostile.check_arguments(under, must, Releases)
    hostile.check_archives(under, must, archive_of)
    hostile.check_places(under, must)
    needed = sorted(set(TOOLS) - {"curl", "sh", "sha256sum", "wget"})
    hostile.check_environments(under, must, Releases, needed)
    hostile.check_redirects(under, must, Releases)


def check_signals(check, shell):
    Releases.slow.set()
    for number in [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]:
        Releases.is_begun.clear()
        place = check.directory()
        words = [*SHELLS[shell], str(SCRIPT), "--to", str(place), "--from", f"{check.url}/good"]
        words[0] = shutil.which(words[0])
        run = subprocess.Popen(words, env={"PATH": str(check.paths[shell])},
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               start_new_session=True)
        must(Releases.is_begun.wait(30), "it does not request the archive")
        os.killpg(run.pid, number)
        run.communicate(timeout=30)
        must(run.returncode != 0, f"it went well after signal {number}")
        must(not leftovers(place), f"after signal {number} it left {leftovers(place)}")
        must(not (place / "bin").exists(), f"after signal {number} there is a program")
    Releases.slow.clear()


def main():
    if os.geteuid():
        must(os.environ.get("CI") != "true", "needs root")
        print("packaging/install/check.py: not checked: needs root", file=sys.stderr)
        return
    subprocess.run(["shellcheck", SCRIPT], check=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        check = Check(Path(scratch))
        for shell in SHELLS:
            check_good(check, shell)
            check_refusals(check, shell)
            check_hostile(check, shell)
            check_signals(check, shell)
            print(f"install.sh under {shell}: installed, refused and cleaned up as it should")


if __name__ == "__main__":
    main()
