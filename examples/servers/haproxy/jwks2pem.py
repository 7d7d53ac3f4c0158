#!/usr/bin/env python3
"""Writes the RSA keys of a JWKS (RFC 7517) as PEM, for HAProxy.

    curl -fsS https://acme.zitadel.cloud/oauth/v2/keys | jwks2pem.py DIRECTORY

Each key becomes DIRECTORY/KID.pem. A key of another kind is left out: git.cfg takes RS256.
"""

import base64
import json
import os
import sys


def number(text):
    """A JWK's base64url number as DER's INTEGER."""
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return der(0x02, (b"\0" if octets[0] & 0x80 else b"") + octets)


def der(tag, content):
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


# The OID rsaEncryption, and NULL.
RSA = bytes.fromhex("06092a864886f70d0101010500")
for key in json.load(sys.stdin)["keys"]:
    # The kid becomes a file's name.
    if key["kty"] != "RSA" or not key["kid"].isalnum():
        continue
    public = der(0x30, number(key["n"]) + number(key["e"]))
    spki = der(0x30, der(0x30, RSA) + der(0x03, b"\0" + public))
    with open(os.path.join(sys.argv[1], key["kid"] + ".pem"), "w", encoding="ascii") as file:
        file.write("-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(spki).decode() + "-----END PUBLIC KEY-----\n")
