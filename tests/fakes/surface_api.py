"""A surface of the API for tests of its callers, from a table of routes: calls, bodies and queries that these do not
know are refused and remembered. What each route answers is a method of the surface's own class.
"""

from __future__ import annotations

import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator

Row = dict[str, Any]
Route = tuple[str, str, str, set[str], Row | None]
"""Method, pattern of the path, name, the queries that are known, and the schema of the body (None: none belongs)."""
TEXT, FLAG, NUMBER = {"type": "string", "minLength": 1}, {"type": "boolean"}, {"type": "integer"}


def closed(required: str = "", **properties: Row) -> Row:
    """A body that has these fields and no others."""
    return {
        "type": "object", "properties": properties, "required": required.split(), "additionalProperties": False,
    }  # fmt: skip


class Refused(Exception):
    """An answer of the surface that is an error, in the surface's words."""

    def __init__(self, status: int, body: Row) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


class SurfaceApi(ABC):
    """`before[name]` is called before a route answers, with what its path holds: a test moves things on there, or
    refuses.
    """

    routes: ClassVar[list[Route]]
    token: ClassVar[str]
    created: ClassVar[set[str]]
    """Names of the routes that answer 201."""

    def __init__(self) -> None:
        self.before: dict[str, Callable[..., None]] = {}
        self.calls: list[tuple[str, str, Any]] = []
        self.wrong: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                pass

            def handle_any(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                with suppress(BrokenPipeError, ConnectionResetError):
                    server.serve(self, body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names that http.server calls

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def bodies(self, name: str) -> list[Any]:
        return [body for known, _, body in self.calls if known == name]

    def queries(self, name: str) -> list[Row]:
        return [dict(parse_qsl(query)) for known, query, _ in self.calls if known == name]

    def changes(self) -> list[str]:
        reading = {name for method, _, name, _, _ in self.routes if method == "GET"}
        return [name for name, _, _ in self.calls if name not in reading]

    # What the surface says in words of its own.

    @abstractmethod
    def unknown(self) -> Refused:
        """Nobody is known by that credential."""

    @abstractmethod
    def absent(self) -> Refused:
        """There is nothing at an address."""

    @abstractmethod
    def invalid(self, wrong: list[str]) -> Refused:
        """What is asked for cannot be meant."""

    def objections(self, name: str, query: Row, body: Any) -> list[str]:
        """What the surface has against a call beside its table."""
        return []

    def answer(self, request: Any, name: str, found: tuple[str, ...], query: Row, body: Any) -> None:
        """Carry a call out, and answer it."""
        answer = getattr(self, "_" + name)(*found, query=query, body=body)
        self.send(request, 201 if name in self.created else 200, answer)

    # How it is served.

    def serve(self, request: Any, body: Any) -> None:
        parts = urlsplit(request.path)
        query = dict(parse_qsl(parts.query))
        try:
            if request.headers.get("authorization") != f"Bearer {self.token}":
                raise self.unknown()
            name, found, known, schema = self._route(request.command, parts.path)
            self._check(name, query, known, body, schema)
            self.calls.append((name, parts.query, body))
            if name in self.before:
                self.before[name](*found)
            self.answer(request, name, found, query, body)
        except Refused as refused:
            self.send(request, refused.status, refused.body)

    def _route(self, method: str, path: str) -> tuple[str, tuple[str, ...], set[str], Row | None]:
        for wanted, pattern, name, known, schema in self.routes:
            match = re.fullmatch(pattern, path)
            if match and wanted == method:
                return name, match.groups(), known, schema
        self.wrong.append(f"the contract has no {method} {path}")
        raise self.absent()

    def _check(self, name: str, query: Row, known: set[str], body: Any, schema: Row | None) -> None:
        wrong = [f"query {key} is not known" for key in set(query) - known]
        wrong += self.objections(name, query, body)
        if schema is not None:
            wrong += [f"{one.json_path}: {one.message}" for one in Draft202012Validator(schema).iter_errors(body)]
        elif body is not None:
            wrong.append("a body, where none belongs")
        if wrong:
            self.wrong.append(f"{name}: {'; '.join(wrong)}")
            raise self.invalid(wrong)

    @staticmethod
    def send(request: Any, status: int, answer: Any) -> None:
        content = json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("content-type", "application/json")
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
