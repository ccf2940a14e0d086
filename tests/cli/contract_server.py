"""A deploy surface for the command line's tests, written from the contract: calls that the contract does not know, and
bodies and queries that it does not allow, are refused and remembered; so are answers of its own with another shape.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator

CONTRACT = json.loads((Path(__file__).parents[2] / "contract" / "deploy.operations.json").read_text())
NOW = "2026-05-31T12:00:00.000Z"
TOKEN = "good-token"


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "defined": False,
            "status": status,
            "message": message,
            "data": {"domainCode": code},
            "error": {"code": code, "category": "user", "message": message, "retryable": False, "details": details},
        }


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """A body's schema that also refuses keys it does not know."""
    schema = dict(schema)
    if "properties" in schema:
        schema["properties"] = {key: closed(value) for key, value in schema["properties"].items()}
        schema.setdefault("additionalProperties", False)
    return schema


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    validator = Draft202012Validator({**schema, "$defs": CONTRACT["$defs"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


class Route:
    def __init__(self, operation: dict[str, Any]) -> None:
        self.operation = operation
        self.key = operation["operationKey"] + ("/stream" if operation["stream"] else "")
        self.pattern = re.compile("/api" + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", operation["path"]))
        self.literals = -operation["path"].count("{")


class ContractServer:
    """`answers` maps operation keys to functions of (parameters, query, body) or to plain answers."""

    def __init__(self) -> None:
        self.routes = sorted((Route(row) for row in CONTRACT["operations"]), key=lambda route: -route.literals)
        self.answers: dict[str, Any] = {}
        self.outside: dict[tuple[str, str], Any] = {}
        self.calls: list[tuple[str, dict[str, str], Any]] = []
        self.wrong: list[str] = []
        self.tokens = {TOKEN}
        self.streams: list[Iterable[str]] = []
        """Each connection to an event stream gets the next of these, and is then closed."""
        self.cursors: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def log_message(self, *arguments: object) -> None:
                pass

            def handle_any(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                with suppress(BrokenPipeError, ConnectionResetError):
                    server.serve(self, self.command, self.path, body)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names that http.server calls

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def called(self, key: str) -> list[Any]:
        """The bodies of the calls of one operation."""
        return [body for name, _, body in self.calls if name == key]

    @property
    def changes(self) -> list[str]:
        reads = {route.key for route in self.routes if route.operation["method"] == "GET"}
        return [name for name, _, _ in self.calls if name not in reads]

    def serve(self, request: Any, method: str, target: str, body: Any) -> None:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        try:
            if (method, parts.path) in self.outside:
                self._send(request, 200, call(self.outside[method, parts.path], {}, query, body))
                return
            route, parameters = self._route(method, parts.path)
            if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
                raise Refusal(401, "product_auth_missing", "Nobody is signed in.")
            self._check(route, query, body)
            self.calls.append((route.key, parameters, body))
            if route.operation["stream"]:
                self.cursors.append(query.get("cursor"))
                self._stream(request)
                return
            if route.key not in self.answers:
                self.wrong.append(f"nothing was prepared for {route.key}")
                raise Refusal(500, "unprepared", route.key)
            answer = call(self.answers[route.key], parameters, query, body)
            if route.operation["response"]:
                self.wrong += [f"{route.key} answers {text}" for text in problems(route.operation["response"], answer)]
            self._send(request, route.operation["successStatus"], answer)
        except Refusal as refusal:
            self._send(request, refusal.status, refusal.body)

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        for route in self.routes:
            match = route.pattern.fullmatch(path)
            if match and route.operation["method"] == method:
                return route, match.groupdict()
        self.wrong.append(f"the contract has no {method} {path}")
        raise Refusal(404, "not_found", "There is nothing at this address.")

    def _check(self, route: Route, query: dict[str, str], body: Any) -> None:
        unknown = set(query) - set(route.operation["query"])
        wrong = [f"query {key} is not known" for key in unknown]
        schema = route.operation["body"]
        if schema is not None:
            while "$ref" in schema:
                schema = CONTRACT["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
            wrong += problems(closed(schema), body if body is not None else {})
        if wrong:
            self.wrong.append(f"{route.key}: {'; '.join(wrong)}")
            raise Refusal(400, "validation_error", "; ".join(wrong))

    def _stream(self, request: Any) -> None:
        request.send_response(200)
        request.send_header("content-type", "text/event-stream")
        request.end_headers()
        for chunk in self.streams.pop(0) if self.streams else []:
            request.wfile.write(chunk.encode())
            request.wfile.flush()

    @staticmethod
    def _send(request: Any, status: int, answer: Any) -> None:
        content = b"" if status == 204 else json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("content-type", "application/json")
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def call(answer: Any, parameters: dict[str, str], query: dict[str, str], body: Any) -> Any:
    made: Callable[..., Any] | Any = answer
    result = made(parameters, query, body) if callable(made) else made
    if isinstance(result, Exception):
        raise result
    return result
