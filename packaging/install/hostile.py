"""Checks of install.sh with hostile arguments, servers and environments, for check.py."""

import http.server
import os
import re
import shutil
import ssl
import subprocess
import tarfile
import threading

PROGRAM = "zitadel-credential"


def check_arguments(check, must, releases):
    """Checks versions, addresses and directories with arbitrary text."""
    good, name = check.archive.read_bytes(), check.archive.name
    url, place = f"{check.url}/good", check.directory()

    def refused(because, *arguments, **others):
        run = check.run("--to", place, *arguments, **others)
        check.refused(place, run, because)
        return run

    # A version must be equal, not a prefix of another.
    check.release("/later", good, name=name.replace(f"-{check.version}-", f"-{check.version}0-"))
    for version in [check.version, check.version[:-1], check.version[0], f"{check.version}0-x86_64"]:
        because = "invalid" if "_" in version else f"names no archive of version {version}"
        refused(because, "--from", f"{check.url}/later", "--version", version)
    refused("invalid version: v", "--version", "v")
    asked = len(releases.asked)
    # The text before an @ is not a host.
    for before in ["localhost:80", "127.0.0.1", "127.0.0.1:80@x", "localhost"]:
        address = f"http://{before}@localhost.example.org/x"
        refused("http://localhost.example.org/x is plain http", "--from", address)
    for blank in [" ", "\n", "\x1b", "\t"]:
        refused("blank or a control character", "--from", f"{url}{blank}@x")
    must(len(releases.asked) == asked, "it asked before it refused")
    # The log shows no password.
    check.release("/other", good, sums=f"{'0' * 64}  other.tar.gz\n")
    check.release("/twice", good, sums=f"{'0' * 64}  {name}\n" * 2)
    secret = f"http://ci:hush@{check.url.removeprefix('http://')}"
    for path in [None, check.tools("curl")]:
        for address, because in [(f"{secret}/missing", "cannot download"),
                                 (f"{secret}/other", "names no archive"),
                                 (f"{secret}/twice", "several archives"),
                                 ("http://ci:hush@example.org/", "is plain http"),
                                 ("ftp://ci:hush@example.org/", "is no https")]:
            run = refused(because, "--from", address, path=path)
            must("hush" not in run.stderr, f"it shows a password: {run.stderr}")
    # An address is not a pattern.
    refused("cannot download", "--from", f"{check.url}/{{good,good}}")
    for directory in ["50% a", "\\x \"a\"'b'", "$(touch x); *", "-rf", "a//"]:
        place = check.directory(directory.rstrip("/"))
        run = check.run("--to", f"{place.parent}/{directory}", "--from", url, bin_of=place)
        check.installed(place, run)
        must("not on PATH" not in run.stderr, f"for {directory} it says {run.stderr}")
        unit = place / f"lib/systemd/system/{PROGRAM}-agent@.service"
        if "'" in directory:
            must(not unit.exists(), "there is a unit that systemd does not take")
            continue
        text = unit.read_text()
        must(executed(text) == f"{place}/bin/{PROGRAM}", f"the unit says {text}")


def executed(unit):
    """Returns the program that systemd runs, with its rules for words and specifiers."""
    word = re.search(r"^ExecStart=((?:\\.|[^\\ \"'])*) ", unit, re.M)[1]

    def meant(escape):
        code = escape[1]
        return chr(int(code[1:], 16)) if len(code) == 3 else code

    return re.sub(r"\\(x[0-9a-f]{2}|.)", meant, word).replace("%%", "%")


def check_archives(check, must, archive_of):
    """Checks that links stay inside the directory, and that the caller owns the files."""
    top, place = check.archive.name.removesuffix(".tar.gz"), check.directory()
    up = archive_of([(f"{top}/bin/up", tarfile.SYMTYPE, ".."),
                     (f"{top}/bin/up/x", tarfile.REGTYPE, b"x")])
    run = check.run("--to", place, "--from", check.release("/parent", up))
    check.refused(place, run, "has a link to elsewhere")
    program = (f"{top}/bin/{PROGRAM}", tarfile.REGTYPE, b"#!/bin/sh\necho x\n")
    url = check.release("/owned", archive_of([program], owner=4711))
    run = check.run("--to", place, "--from", url)
    must(run.returncode == 0, f"with another owner it says {run.stderr}")
    must((place / "bin" / PROGRAM).stat().st_uid == 0, "the program is somebody else's")


def check_places(check, must):
    """Checks that no file changes if one cannot be installed; a link is replaced, not followed."""
    url = f"{check.url}/good"
    for way in ["file", "directory", "closed"]:
        place = check.directory()
        program = place / "bin" / PROGRAM
        program.parent.mkdir(parents=True)
        program.write_text("what was there")
        if way == "file":
            (place / "share").write_text("x")
        elif way == "directory":
            (place / "share/man/man1" / f"{PROGRAM}.1" / "x").mkdir(parents=True)
        else:
            (place / "share").mkdir(mode=0o555)
            for path in [place, place / "bin"]:
                os.chown(path, check.nobody, check.nobody)
        run = check.run("--to", place, "--from", url, as_nobody=way == "closed")
        check.refused(place, run, "is a directory" if way == "directory" else "cannot write to")
        must(program.read_text() == "what was there", f"it changed the program ({way})")
        must([path.name for path in place.glob("bin/*")] == [PROGRAM], f"it made links ({way})")
    place = check.directory()
    (place / "bin").mkdir(parents=True)
    other = place / "other"
    other.write_text("another's")
    for name in [PROGRAM, "git-credential-zitadel"]:
        (place / "bin" / name).symlink_to(other)
    (place / "bin/docker-credential-zitadel").symlink_to("nowhere")
    check.installed(place, check.run("--to", place, "--from", url))
    must(other.read_text() == "another's", "it wrote to a link's target")
    must(not (place / "bin" / PROGRAM).is_symlink(), "the program is a link still")


def check_environments(check, must, releases, tools):
    """Checks that a missing tool is found before a download, and that no variable changes tools."""
    url = f"{check.url}/good"
    for tool in tools:
        asked, place = len(releases.asked), check.directory()
        run = check.run("--to", place, "--from", url, path=check.tools(tool))
        check.refused(place, run, f"{tool} is not installed")
        must(len(releases.asked) == asked, f"it downloads without {tool}")
        must(not place.exists(), f"it writes without {tool}")
    for closes in [lambda: os.close(1), lambda: os.closerange(0, 3),
                   lambda: os.dup2(os.open("/dev/full", os.O_WRONLY), 2)]:
        place = check.directory()
        check.installed(place, check.run("--to", place, "--from", url, preexec_fn=closes))
    variables = {"TAR_OPTIONS": "--verbose", "LC_ALL": "de_DE.UTF-8", "CDPATH": "/"}
    for mask in [0, 0o777]:
        place = check.directory()
        run = check.run("--to", place, "--from", url, umask=mask, variables=variables)
        check.installed(place, run)
        modes = {path.stat().st_mode & 0o777 for path in [place / "bin", place / "bin" / PROGRAM]}
        must(modes == {0o755}, f"with umask {mask:o} the modes are {modes}")


def check_redirects(check, must, releases):
    """Checks that an https server redirects only to https, and no server to a file."""
    scratch = check.directory("tls")
    scratch.mkdir()
    key, certificate = scratch / "key", scratch / "ca-certificates.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), releases)
    server.handle_error = lambda *_: None
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    secure = f"https://localhost:{server.server_address[1]}"
    file = check.release("/plain", check.archive.read_bytes())
    plain = file.removeprefix("http")
    # GnuTLS, which wget uses, has no variable for its certificate authorities.
    trusting = ["unshare", "--mount", "sh", "-ec",
                f'{shutil.which("mount")} --bind "$1" /etc/ssl/certs; shift; exec "$@"', "sh", str(scratch)]
    for path, before in [(None, []), (check.tools("curl"), trusting)]:
        place = check.directory()

        def run(url, path=path, before=before, place=place):
            variables = {"CURL_CA_BUNDLE": str(certificate)}
            return check.run("--to", place, "--from", url, path=path, before=before, variables=variables)

        for to in [f"http{plain}", f"HTTP{plain}", f"file://{scratch}"]:
            releases.elsewhere = {"/away/SHA256SUMS": f"{to}/SHA256SUMS"}
            asked = run(f"{check.url}/away") if to.startswith("file") else run(f"{secure}/away")
            must(asked.returncode != 0, f"it follows a redirect to {to}")
            check.refused(place, asked, "install.sh: error: ")
        if path and check.is_busybox:
            check.refused(place, run(f"{secure}/plain"), "may not check certificates")
        else:
            check.installed(place, run(f"{secure}/plain"))
    releases.elsewhere = {}
    server.shutdown()
