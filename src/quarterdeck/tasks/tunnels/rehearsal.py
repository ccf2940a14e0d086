"""The built-in tunnel: asks for a sign-in as an editor's program does, and serves on this machine alone.

It runs by itself, without the package around it: `python rehearsal.py NAME`. It prints where to sign in and a code,
which is entered at `/login?code=…`; then the address of the tunnel, which answers with its name and directory.
"""

import json
import secrets
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class Served(BaseHTTPRequestHandler):
    name = ""
    code = ""
    open = False

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        given = parse_qs(asked.query).get("code", [""])[0]
        if asked.path == "/login" and secrets.compare_digest(given, self.code):
            Served.open = True
            self._say(200, {"signedIn": True})
            print(f"Open this link in your browser {address(self.server, f'tunnel/{self.name}')}", flush=True)  # noqa: T201
        elif asked.path == f"/tunnel/{self.name}" and Served.open:
            self._say(200, {"name": self.name, "directory": str(Path.cwd())})
        else:
            self._say(404, {"error": "There is nothing here."})

    def _say(self, status: int, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Nothing is written of requests."""


def address(server: object, path: str) -> str:
    port = server.server_address[1]  # type: ignore[attr-defined]
    return f"http://127.0.0.1:{port}/{path}"


def main() -> None:
    Served.name = sys.argv[1]
    Served.code = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    where = address(server, "login")
    print(f"To grant access to the server, please log into {where} and use code {Served.code}", flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    main()
