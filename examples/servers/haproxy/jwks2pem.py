#!/usr/bin/env python3
"""Writes ZITADEL's RSA keys for HAProxy: /etc/haproxy/zitadel/1.pem to 4.pem, and keys.map.

    jwks2pem.py https://acme.zitadel.cloud /etc/haproxy/zitadel systemctl reload haproxy

Runs the command if a key has changed; if the command fails, the next call repeats it. Call
this from a timer each hour: ZITADEL publishes a new key before it signs with it. After any
other error, all files are unchanged.
"""

import base64
import json
import os
import subprocess
import sys
import urllib.request
from http.client import HTTPException

SLOTS = 4  # as many as git.cfg names
RSA = bytes.fromhex("06092a864886f70d0101010500")  # the object identifier rsaEncryption, NULL


def der(tag, content):
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def integer(text):
    """Returns a JWK's base64url number as DER."""
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return der(0x02, (b"\0" if octets[0] & 0x80 else b"") + octets)


def pem(key):
    """Returns an RSA key as the PEM of its SubjectPublicKeyInfo."""
    public = der(0x30, integer(key["n"]) + integer(key["e"]))
    info = der(0x30, der(0x30, RSA) + der(0x03, b"\0" + public))
    text = base64.encodebytes(info).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n"


def files(keys):
    """Returns the text of each file."""
    keys = [key for key in keys if key["kty"] == "RSA" and key.get("use", "sig") == "sig"]
    if not 0 < len(keys) <= SLOTS:
        raise ValueError(f"{len(keys)} RSA keys: git.cfg has room for {SLOTS}, and needs one")
    for key in keys:
        if not (isinstance(key["kid"], str) and key["kid"].isascii() and key["kid"].isalnum()):
            raise ValueError(f"key ID {key['kid']!r}")
    # HAProxy does not start if a file is missing. keys.map does not name the other slots.
    wanted = {f"{slot}.pem": pem(keys[min(slot, len(keys)) - 1]) for slot in range(1, SLOTS + 1)}
    wanted["keys.map"] = "".join(f"{key['kid']} {slot}\n" for slot, key in enumerate(keys, 1))
    return wanted


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: the keys come only from the issuer's own address."""

    def redirect_request(self, *_):
        return None


def is_changed(path, text):
    try:
        with open(path, encoding="ascii") as file:
            return file.read() != text
    except FileNotFoundError:
        return True


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    issuer, directory, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    opener = urllib.request.build_opener(NoRedirect)
    with opener.open(f"{issuer}/oauth/v2/keys", timeout=10) as answer:
        wanted = files(json.loads(answer.read(1 << 20))["keys"])
    os.makedirs(directory, exist_ok=True)
    paths = {os.path.join(directory, name): text for name, text in wanted.items()}
    changed = [path for path, text in paths.items() if is_changed(path, text)]
    # All are written before the first one is replaced.
    for path in changed:
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(paths[path])
    pending = os.path.join(directory, "pending")
    if changed and command:
        with open(pending, "w", encoding="ascii"):
            pass
    for path in changed:
        os.replace(path + ".new", path)
    if command and os.path.exists(pending):
        subprocess.run(command, check=True)
        os.remove(pending)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, LookupError, TypeError, RecursionError, HTTPException,
            subprocess.SubprocessError) as error:
        sys.exit(f"jwks2pem.py: {type(error).__name__}: {error}")
