"""A server on the standard library alone: says its name and version."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "1"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        bodies = {"/": f"dockerfile {os.environ.get('VERSION', VERSION)}\n", "/health": '{"status": "ok"}\n'}
        body = bodies.get(self.path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write((body or "not here\n").encode())


if __name__ == "__main__":
    address = "0.0.0.0"  # noqa: S104 - the container's own network is all that can reach it
    ThreadingHTTPServer((address, int(os.environ.get("PORT", "3000"))), Handler).serve_forever()
