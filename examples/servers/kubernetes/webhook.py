#!/usr/bin/env python3
"""Tells a Kubernetes API server the user of an opaque ZITADEL token (TokenReview webhook).

    webhook.py CONFIG.json

It asks ZITADEL's introspection (RFC 7662) as an API application of the project, and returns
the user, and the roles as groups, named as in authentication.yaml. A change of roles and the
deactivation of a user take effect after this cache's time plus that of the API server. While
ZITADEL is down, the API server gets an error, logs it, and refuses the request.

CONFIG.json, which holds a secret (mode 0600):

    {"issuer": "https://acme.zitadel.cloud",
     "introspection": "https://acme.zitadel.cloud/oauth/v2/introspect",
     "client_id": "317240000000000002", "client_secret": "...",
     "project": "317240000000000001", "organisation": "311000000000000001",
     "certificate": "/etc/kubernetes/zitadel/webhook.pem",
     "key": "/etc/kubernetes/zitadel/webhook.key",
     "client_ca": "/etc/kubernetes/zitadel/ca.pem",
     "listen": "127.0.0.1:8443"}

and, if wanted, "ca_file" for an issuer whose certificate is of an authority of your own,
and "cache_seconds" (default: 10).

Try it: curl --cacert ca.pem --cert api-server.pem --key api-server.key https://127.0.0.1:8443/ \\
  -d '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"x"}}'
"""

import base64
import hashlib
import http.server
import json
import ssl
import sys
import threading
import time
import urllib.parse
import urllib.request

CACHE_ENTRIES = 10_000
LONGEST_REQUEST = 1 << 20
LONGEST_ANSWER = 1 << 20
TIMEOUT_SECONDS = 5


class Introspection:
    """Asks ZITADEL, and caches the user of a valid token for some seconds."""

    def __init__(self, config):
        pair = ":".join(urllib.parse.quote(config[name], safe="") for name in ("client_id", "client_secret"))
        self.authorization = "Basic " + base64.b64encode(pair.encode()).decode()
        self.url, self.issuer = config["introspection"], config["issuer"]
        self.project, self.organisation = config["project"], config["organisation"]
        tls = ssl.create_default_context(cafile=config.get("ca_file"))
        # No redirects: the secret and the token are only for this address.
        self.opener = urllib.request.OpenerDirector()
        for handler in (urllib.request.HTTPSHandler(context=tls), urllib.request.HTTPDefaultErrorHandler(),
                        urllib.request.HTTPErrorProcessor()):
            self.opener.add_handler(handler)
        self.seconds = config.get("cache_seconds", 10)
        self.cache, self.lock = {}, threading.Lock()

    def user(self, token):
        """Returns the user of a token; None if the token is invalid. Raises if ZITADEL fails."""
        name, now = hashlib.sha256(token.encode()).digest(), time.monotonic()
        with self.lock:
            kept = self.cache.get(name)
        if kept and kept[0] > now:
            return kept[1]
        user = self.user_of(self.ask(token))
        if user:
            with self.lock:
                if len(self.cache) >= CACHE_ENTRIES:
                    self.cache.clear()
                self.cache[name] = (now + self.seconds, user)
        return user

    def ask(self, token):
        body = urllib.parse.urlencode({"token": token}).encode()
        request = urllib.request.Request(self.url, body, {"Authorization": self.authorization})
        with self.opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            content = answer.read(LONGEST_ANSWER + 1)
        if len(content) > LONGEST_ANSWER:
            raise ValueError("the answer is too long")
        return json.loads(content)

    def user_of(self, claims):
        """Returns the user of an active token of this issuer and for this project, else None."""
        audience = claims.get("aud") or []
        audience = [audience] if isinstance(audience, str) else audience
        if claims.get("active") is not True or claims.get("iss") != self.issuer or self.project not in audience:
            return None
        # The claim that names the project: another project may have a role of the same
        # name. Its keys are roles, and under each the organisations that granted it.
        roles = claims.get(f"urn:zitadel:iam:org:project:{self.project}:roles") or {}
        groups = [f"zitadel:{role}" for role, granted in roles.items() if self.organisation in granted]
        return {"username": f"zitadel:{claims['sub']}", "uid": claims["sub"], "groups": groups}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    introspection = None

    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length", ""))
            if not 0 < length <= LONGEST_REQUEST:
                raise ValueError
            review = json.loads(self.rfile.read(length))
            version, token = review["apiVersion"], review["spec"]["token"]
            if review["kind"] != "TokenReview" or not isinstance(token, str):
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            return self.reply(400, {"error": "no TokenReview"})
        try:
            user = self.introspection.user(token)
        except Exception as error:  # of any kind: an error is not a refusal
            # The error's text is not logged: it may quote the request.
            print(f"webhook.py: ZITADEL's introspection failed: {type(error).__name__}"
                  f" {getattr(error, 'code', '')}".rstrip(), file=sys.stderr, flush=True)
            return self.reply(503, {"error": "introspection failed"})
        status = {"authenticated": True, "user": user} if user else {"authenticated": False}
        return self.reply(200, {"apiVersion": version, "kind": "TokenReview", "status": status})

    def reply(self, code, content):
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if code == 400:
            # The rest of the request must not be read as another request.
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        # A client that closes the connection, or has no certificate.
        pass


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        config = json.load(file)
    Handler.introspection = Introspection(config)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=config["client_ca"])
    # Only for the API server: others could try tokens.
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_cert_chain(config["certificate"], config["key"])
    host, _, port = config["listen"].rpartition(":")
    server = Server((host, int(port)), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main()
