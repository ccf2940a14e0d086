"""A real HTTP server on loopback that keeps what it is asked."""

from __future__ import annotations

import abc
import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Fake(abc.ABC):
    """`asked` is everything that came, `wrong` what the platform would not have understood; both stay in order."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.wrong: list[str] = []
        self.url = ""
        self.lock = threading.Lock()

    @abc.abstractmethod
    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and body."""

    def refuse(self, asked: Asked, why: str, told: Any = None) -> tuple[int, Any]:
        self.wrong.append(f"{asked.method} {asked.path}: {why}")
        return (404, {"error": "unknown"}) if told is None else (200, told)

    @contextlib.contextmanager
    def served(self, tls: ssl.SSLContext | None = None) -> Iterator[Fake]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self) -> None:
                parts = urlsplit(self.path)
                size = int(self.headers.get("content-length") or 0)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path, query, headers, self.rfile.read(size))
                with fake.lock:
                    fake.asked.append(asked)
                    status, body = fake.answer(asked)
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _take  # noqa: N815 - the names of the library

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        port = server.server_address[1]
        self.url = f"http://127.0.0.1:{port}" if tls is None else f"https://localhost:{port}"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
