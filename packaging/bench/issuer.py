"""An issuer for measurements: it answers at once and checks nothing.

The tests' issuer is the strict one (tests/support); this one only has to be
quick, and the same for whoever is measured against it.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "t" * 96


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, document):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        issuer = f"http://{self.headers['Host']}"
        self.answer(
            {
                "issuer": issuer,
                "token_endpoint": f"{issuer}/oauth/v2/token",
                "userinfo_endpoint": f"{issuer}/oidc/v1/userinfo",
            }
        )

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 43199})

    def log_message(self, *_):
        pass


class Issuer:
    """Serves on a loopback port of its own until the block ends."""

    def __enter__(self):
        Handler.wbufsize = -1  # one segment for head and body
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
