"""Counts requests and how long they took, by the route's template: never by an address that a client made up."""

from __future__ import annotations

import time
from typing import Any

from litestar.types import ASGIApp, Receive, Send

from quarterdeck.kernel.telemetry import Metrics

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNROUTED = "(none)"


class Measured:
    """Wraps the application: the outermost layer, so that refused requests count too."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._requests = metrics.counter("http_requests_total", "Requests answered.", ["method", "route", "status"])
        self._seconds = metrics.histogram("http_request_seconds", "Time to the end of the answer.", ["method", "route"])
        self._streams = metrics.gauge("http_streams", "Event streams that are open.", ["route"])
        self._sockets = metrics.gauge("http_websockets", "WebSockets that are open.")

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            with self._sockets.track_inprogress():
                await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "other"
        status = 0
        streaming: Any = None

        async def outgoing(message: Any) -> None:
            nonlocal status, streaming
            if message["type"] == "http.response.start":
                status = message["status"]
                if any(name == b"content-type" and b"event-stream" in value for name, value in message["headers"]):
                    streaming = self._streams.labels(template(scope))
                    streaming.inc()
            await send(message)

        try:
            await self.app(scope, receive, outgoing)
        finally:
            route = template(scope)
            self._requests.labels(method, route, str(status)).inc()
            if streaming is not None:
                streaming.dec()
            else:
                self._seconds.labels(method, route).observe(time.perf_counter() - began)


def template(scope: Any) -> str:
    """`/api/projects/{projectId}`, or a word for what no route took."""
    handler = scope.get("route_handler")
    if handler is None:
        return UNROUTED
    endpoint = handler.opt.get("endpoint")
    path = endpoint.path if endpoint is not None else next(iter(sorted(handler.paths)), UNROUTED)
    return str(path)
