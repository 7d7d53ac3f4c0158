"""An issuer for measurements: it answers at once and checks nothing.

The tests' issuer is the strict one (tests/support); this one must only be fast, and the
same for all measured programs. So it uses bare sockets: Python's http.server takes a
millisecond for each request, which would hide the result.
"""

import json
import socket
import threading

TOKEN = "t" * 96


def head_of(stream):
    """Returns the request line and the length of the body; None at the end."""
    request = stream.readline().decode()
    length = 0
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return request, length


class Issuer:
    """Serves on a free loopback port until the block ends."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections = 0
        self.mints = 0
        self.discovery = {
            "issuer": self.url,
            "token_endpoint": f"{self.url}/oauth/v2/token",
            "userinfo_endpoint": f"{self.url}/oidc/v1/userinfo",
        }
        self.answer = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 43199}
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:  # closed: the block has ended
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as stream:
            while True:
                request, length = head_of(stream)
                if not request:
                    return
                stream.read(length)
                mint = request.startswith("POST")
                self.mints += mint
                body = json.dumps(self.answer if mint else self.discovery)
                connection.sendall(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
                )
