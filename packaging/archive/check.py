#!/usr/bin/env python3
"""Runs the program of the Linux archive in a root without other files.

    packaging/release.sh && packaging/archive/check.py [PROCESSOR]

There it gets a token over TLS, resolving the issuer with /etc/hosts, and again with a DNS
server of /etc/resolv.conf; it trusts only the certificates of /etc/ssl/certs and of
SSL_CERT_FILE. Needs root (chroot, port 53 of a loopback address).
"""

import http.server
import json
import os
import platform
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "issuer.test"
# One for each process: two of them may run at once.
RESOLVER = f"127.53.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
TOKEN = "t" * 96
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
# A path, because the program's environment has no PATH.
CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"


class Issuer(http.server.BaseHTTPRequestHandler):
    """Serves discovery and tokens to every client."""

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        issuer = f"https://{NAME}:{self.server.server_address[1]}"
        body = json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 43199}
                          if self.command == "POST" else
                          {"issuer": issuer, "token_endpoint": f"{issuer}/oauth/v2/token",
                           "userinfo_endpoint": f"{issuer}/oidc/v1/userinfo"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def serve_issuer(directory):
    """Starts the issuer with its own certificate; returns its port."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-addext",
         "basicConstraints=critical,CA:FALSE", "-keyout", directory / "tls.key",
         "-out", directory / "tls.crt"], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
    server.socket = tls.wrap_socket(server.socket, server_side=True,
                                    do_handshake_on_connect=False)
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def serve_dns(asked):
    """Starts a DNS server with one IPv4 address; records the requested names."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((RESOLVER, 53))

    def serve():
        while True:
            query, peer = listener.recvfrom(512)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]].decode())
                at += 1 + query[at]
            question = query[12 : at + 5]
            name, kind = ".".join(labels), struct.unpack("!H", query[at + 1 : at + 3])[0]
            asked.add(name)
            # An A record (type 1) whose name points at the question; 3 is NXDOMAIN.
            record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton("127.0.0.1")
            records = [record] if (name, kind) == (NAME, 1) else []
            flags = 0x8180 if name == NAME else 0x8183
            head = query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
            listener.sendto(head + question + b"".join(records), peer)

    threading.Thread(target=serve, daemon=True).start()


def token(root, issuer, **environment):
    """Calls `token` in the root; returns stdout, or stderr if it failed."""
    run = subprocess.run(
        [CHROOT, root, "/zitadel-credential", "token", "--no-cache", "--key-file", "/key.pem",
         "--key-id", "1", "--user-id", "2", "--issuer", issuer, "--timeout", "10"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        check=False)
    return run.stderr if run.returncode else run.stdout.strip()


def must(condition, complaint):
    if not condition:
        sys.exit(f"packaging/archive/check.py: {complaint}")


def main():
    if os.geteuid():
        must(os.environ.get("CI") != "true", "needs root")
        print("packaging/archive/check.py: not checked: needs root", file=sys.stderr)
        return
    processor = sys.argv[1] if sys.argv[1:] else platform.machine()
    (archive,) = (ROOT / "dist").glob(f"zitadel-credential-*-{processor}-*-linux-*.tar.gz")
    must("-linux-musl" in archive.name, f"{archive.name} is not static")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        with tarfile.open(archive) as files:
            (program,) = (file for file in files if file.name.endswith("/bin/zitadel-credential"))
            content = files.extractfile(program).read()
        root = scratch / "root"
        (root / CERTIFICATES).parent.mkdir(parents=True)
        (root / "zitadel-credential").write_bytes(content)
        (root / "zitadel-credential").chmod(0o755)
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", root / "key.pem", "2048"],
                       check=True, capture_output=True)
        issuer = f"https://{NAME}:{serve_issuer(scratch)}"
        asked = set()
        serve_dns(asked)
        certificates, hosts = root / CERTIFICATES, root / "etc/hosts"

        hosts.write_text(f"127.0.0.1 localhost {NAME}\n")
        said = token(root, issuer)
        must("certificate" in said, f"without certificates it says {said}")
        shutil.copy(scratch / "tls.crt", root / "own.crt")
        said = token(root, issuer, SSL_CERT_FILE="/own.crt")
        must(said == TOKEN, f"with SSL_CERT_FILE it says {said}")
        shutil.copy(scratch / "tls.crt", certificates)
        must((said := token(root, issuer)) == TOKEN, f"with {CERTIFICATES} it says {said}")
        must(not asked, f"it asks DNS for {asked}, which /etc/hosts names")

        hosts.write_text("127.0.0.1 localhost\n")
        (root / "etc/resolv.conf").write_text(f"nameserver {RESOLVER}\n")
        must((said := token(root, issuer)) == TOKEN, f"by DNS it says {said}")
        said = token(root, issuer.replace(NAME, "other.test"))
        must("cannot look up" in said, f"of an unknown host it says {said}")
        must(asked == {NAME, "other.test"}, f"DNS was asked for {asked}")
    print(f"the archive's program for {processor} runs alone: /etc/hosts, DNS, certificates")


if __name__ == "__main__":
    main()
