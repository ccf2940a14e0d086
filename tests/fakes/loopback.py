"""What fakes of programs that are spoken to over HTTP share: a threaded server on loopback that can be slow, answer
garbage, or lead elsewhere. What the published API does not know is refused and kept in `refused`.
"""

from __future__ import annotations

import contextlib
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    """`path` is as it was sent, undecoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: Any
    content: bytes


@dataclass
class Answer:
    status: int
    body: Any = None
    raw: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Loopback(ThreadingHTTPServer, ABC):
    """`odd` answers in the place of the API, if it answers something; `before` is called first, such as to wait or to
    write in between.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self.refused: list[str] = []
        self.odd: Callable[[Asked], Answer | None] | None = None
        self.before: Callable[[Asked], None] | None = None
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @abstractmethod
    def api(self, asked: Asked) -> Answer:
        """What the published API answers."""

    def unknown(self, asked: Asked, why: str) -> Answer:
        self.refused.append(f"{asked.method} {asked.path}: {why}")
        return Answer(405 if why == "method" else 404, {"errors": [why]})

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.before is not None:
            self.before(asked)
        odd = self.odd(asked) if self.odd is not None else None
        if odd is not None:
            return odd
        with self.lock:
            return self.api(asked)

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Loopback

    def _serve(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        answer = self.server.answer(Asked(self.command, parts.path, query, self.headers, content))
        sent = (
            answer.raw if answer.raw is not None else b"" if answer.body is None else json.dumps(answer.body).encode()
        )
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_LIST = _serve  # noqa: N815 - names of the standard library

    def log_message(self, *arguments: object) -> None:
        pass


S = TypeVar("S", bound=Loopback)


@contextlib.contextmanager
def serving(server: S) -> Iterator[S]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
