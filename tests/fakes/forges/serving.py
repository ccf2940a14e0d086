"""What the fake forges share: a threaded server that knows its routes, fields and query parameters, and nothing else.

Whatever is not in the provider's published schema is refused and kept in `refused`, so that a driver that calls
something else, or spells it otherwise, fails its test.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Answer = tuple[int, Any]


@dataclass
class Asked:
    method: str
    path: str
    parts: tuple[str, ...]
    query: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Route:
    """`pattern` matches the undecoded path. `required` and `optional` are fields of the body, with their types."""

    method: str
    pattern: str
    handle: Callable[[Asked], Answer]
    query: frozenset[str] = frozenset()
    required: dict[str, type] = field(default_factory=dict)
    optional: dict[str, type] = field(default_factory=dict)


class Forge(ThreadingHTTPServer, ABC):
    """`token` opens it by the header `authorized` names. `failing` (a status) is answered to everything that changes
    something.
    """

    daemon_threads = True
    prefix = ""

    def __init__(self, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = token
        self.requests: list[Asked] = []
        self.refused: list[str] = []
        self.failing: int | None = None
        self.before_creating: Callable[[], None] | None = None

    @abstractmethod
    def routes(self) -> list[Route]:
        """What the provider's schema has."""

    @abstractmethod
    def authorized(self, headers: Any) -> bool:
        """Whether the token is among the headers, as the provider wants it."""

    def unauthorized(self) -> Answer:
        return 401, {"message": "Unauthorized"}

    @property
    def url(self) -> str:
        """What a project names as the address of the API."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, method: str, target: str, headers: Any, content: bytes) -> Answer:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if not self.authorized(headers):
            return self.unauthorized()
        for route in self.routes():
            found = re.fullmatch(self.prefix + route.pattern, parts.path)
            if found is None or route.method != method:
                continue
            body = json.loads(content) if content else {}
            wrong = self.wrong(route, query, body)
            if wrong:
                self.refused.append(f"{method} {target}: {wrong}")
                return 422, {"message": wrong}
            asked = Asked(method, parts.path, tuple(unquote(one) for one in found.groups()), query, body)
            self.requests.append(asked)
            if self.failing and method != "GET":
                return self.failing, {"message": "Service says no"}
            return route.handle(asked)
        self.refused.append(f"{method} {target}: no such call")
        return 404, {"message": "Not Found"}

    @staticmethod
    def wrong(route: Route, query: dict[str, str], body: dict[str, Any]) -> str:
        known = {**route.required, **route.optional}
        if strange := sorted({*query} - route.query):
            return f"unknown parameters {strange}"
        if strange := sorted({*body} - {*known}):
            return f"unknown fields {strange}"
        if missing := sorted({*route.required} - {*body}):
            return f"missing fields {missing}"
        if odd := sorted(name for name, value in body.items() if not isinstance(value, known[name])):
            return f"fields of another type {odd}"
        return ""

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Forge

    def _serve(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body = self.server.answer(self.command, self.path, self.headers, content)
        sent = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - names of the standard library

    def log_message(self, *arguments: object) -> None:
        pass


@contextlib.contextmanager
def serving(forge: Forge) -> Iterator[Forge]:
    thread = threading.Thread(target=forge.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        forge.shutdown()
        thread.join()
        forge.server_close()
