"""A WSGI application without a framework: says its name and version."""

import os
from collections.abc import Callable, Iterable
from typing import Any

VERSION = "1"


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ.get("PATH_INFO") == "/":
        body = f"wsgi {os.environ.get('VERSION', VERSION)}\n"
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [body.encode()]
    known = environ.get("PATH_INFO") == "/health"
    start_response("200 OK" if known else "404 Not Found", [("Content-Type", "application/json")])
    return [b'{"status": "ok"}' if known else b'{"status": "unknown"}']
