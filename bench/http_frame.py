#!/usr/bin/env python3
"""How fast the whole frame answers, and how long it takes to build: 250 deploy routes, no domain behind them."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import structlog

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))

BEGAN = time.perf_counter()
from contract.deploy_app import whole_surface  # noqa: E402 - the import is part of what is measured

IMPORTED = time.perf_counter()


async def rate(app: object, method: str, path: str, body: bytes, seconds: float) -> float:
    """Requests per second of one handler, called as an ASGI application."""
    headers = [(b"host", b"x"), (b"authorization", b"Bearer t"), (b"content-type", b"application/json")]
    headers.append((b"content-length", str(len(body)).encode()))
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"limit=20"}
    scope |= {"headers": headers, "client": ("127.0.0.1", 1), "server": ("x", 80), "scheme": "http", "root_path": ""}

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] < 400, message

    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(100):
            await app(dict(scope, state={}), receive, send)  # type: ignore[operator]
        count += 100
    return count / (time.perf_counter() - began)


def main() -> None:
    app = whole_surface()
    built = time.perf_counter()
    from quarterdeck.kernel.http.openapi import document

    document(app, title="Quarterdeck", version="0")
    documented = time.perf_counter()
    print(f"import {IMPORTED - BEGAN:.2f} s, build 250 routes {built - IMPORTED:.2f} s")
    print(f"document {documented - built:.2f} s")
    for method, path, body in (("GET", "/api/projects", b""), ("POST", "/api/projects", b'{"name":"x"}')):
        figures = [asyncio.run(rate(app, method, path, body, 1)) for _ in range(3)]
        print(f"{method} {path}: {statistics.median(figures):,.0f} requests/s")


if __name__ == "__main__":
    main()
