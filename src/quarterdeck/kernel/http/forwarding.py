"""Requests and WebSockets that another server of ours answers: passed on as they came, and its answers as they come."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import structlog
from litestar.types import ASGIApp, Receive, Send

from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.http.unproven import DOOR, LARGEST_UNPROVEN, UnprovenSocket
from quarterdeck.kernel.http.vouching import HEADER, PASSED_ON

CONNECT_SECONDS = 5.0
TIMEOUTS = {"connect": CONNECT_SECONDS, "read": None, "write": None, "pool": None}
IDLE_SECONDS = 2.0
"""Shorter than a server keeps an idle connection, so that no request goes into one that ends."""
LARGEST = 16 << 20
"""Bytes of a frame of a caller who is known; the server that answers has narrower bounds."""
GONE, TRY_LATER = 1001, 1013
UNSENT = frozenset({1005, 1006, 1015})
"""Codes that say how a connection ended and are never sent."""
HOPS = frozenset(
    (
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
        b"trailer", b"transfer-encoding", b"upgrade", b"expect", HEADER,
    )
)  # fmt: skip
OWN_HEADERS = re.compile("sec-websocket-", re.IGNORECASE)
"""Of a handshake: each connection has its own."""
KEEP_ALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
]
Target = Callable[[], Awaitable[str | None]]
log = structlog.get_logger("quarterdeck.http")


class Forwarding:
    """Wraps the application inside of the perimeter. `here(method, path)` says what is answered here; everything else
    goes to the address that `target` knows (`http://host:port`). `header` makes what is said of the caller.
    """

    def __init__(
        self, app: ASGIApp, *, here: Callable[[str, str], bool], target: Target, header: Callable[[Any], bytes]
    ) -> None:
        self.app = app
        self._here = here
        self._target = target
        self._header = header
        self._transport: httpx.AsyncHTTPTransport | None = None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind not in {"http", "websocket"} or self._here(scope.get("method", "WS"), scope["path"]):
            await self.app(scope, receive, send)
        elif kind == "http":
            await self._request(scope, receive, send)
        else:
            await self._websocket(scope, receive, send)

    async def close(self) -> None:
        """Close the connections that wait for a next request."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def _where(self, scope: Any) -> str:
        """Raises `Unavailable` where nobody is known; what was passed on once is not passed on again."""
        once = PASSED_ON in scope or any(name == HEADER for name, _ in scope["headers"])
        address = None if once else await self._target()
        if address is None:
            raise away()
        return address

    def _headers(self, scope: Any) -> list[tuple[bytes, bytes]]:
        return [*(pair for pair in scope["headers"] if pair[0].lower() not in HOPS), (HEADER, self._header(scope))]

    # -- requests

    async def _request(self, scope: Any, receive: Receive, send: Send) -> None:
        url = httpx.URL(await self._where(scope))
        path: bytes = scope["raw_path"].partition(b"?")[0]
        asked = path + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        request = httpx.Request(
            scope["method"],
            url.copy_with(raw_path=asked),
            headers=self._headers(scope),
            content=_body(scope, receive),
            extensions={"target": asked, "timeout": TIMEOUTS},  # the address as it came, to the byte
        )
        try:
            answer = await self._far().handle_async_request(request)
        except httpx.TransportError as error:
            log.warning("not_passed_on", reason=type(error).__name__)
            raise away() from None
        try:
            kept = [pair for pair in answer.headers.raw if pair[0].lower() not in HOPS]
            # Who is known there is known: it may be slow to read, and is not one of those who say nothing.
            sent = {name.lower() for name, _ in scope["headers"]}
            known = answer.status_code < 400 and sent & {b"authorization", b"cookie"}
            if known and (door := scope.get("state", {}).get(DOOR)) is not None:
                door.proven()
            await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
            await _until_either(self._stream(answer, send), _left(receive))
        finally:
            await answer.aclose()

    @staticmethod
    async def _stream(answer: httpx.Response, send: Send) -> None:
        try:
            async for chunk in answer.aiter_raw():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except httpx.TransportError:
            return  # cut there, and so here: the answer is not told to be whole
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _far(self) -> httpx.AsyncHTTPTransport:
        """Connections alone: a client on top of them would keep the cookies of whoever came before."""
        if self._transport is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=IDLE_SECONDS)
            self._transport = httpx.AsyncHTTPTransport(limits=limits, socket_options=KEEP_ALIVE, trust_env=False)
        return self._transport

    # -- WebSockets

    async def _websocket(self, scope: Any, receive: Receive, send: Send) -> None:
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidHandshake, InvalidStatus
        from websockets.typing import Subprotocol

        await receive()  # websocket.connect
        try:
            parts = urlsplit(await self._where(scope))
            url = urlunsplit(
                (
                    "wss" if parts.scheme == "https" else "ws", parts.netloc,
                    scope["raw_path"].partition(b"?")[0].decode("latin-1"), scope["query_string"].decode("latin-1"), "",
                )
            )  # fmt: skip
            own = {"host", "user-agent"}
            said = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._headers(scope)]
            kept = [(name, value) for name, value in said if name.lower() not in own and not OWN_HEADERS.match(name)]
            agent = next((value for name, value in said if name.lower() == "user-agent"), None)
            host = next((value for name, value in said if name.lower() == "host"), None)
            far = await connect(
                _named(url, host),
                host=parts.hostname,
                port=parts.port or (443 if parts.scheme == "https" else 80),
                additional_headers=kept,
                user_agent_header=agent,
                subprotocols=[Subprotocol(one) for one in scope.get("subprotocols") or ()] or None,
                compression=None,
                max_size=LARGEST,
                open_timeout=CONNECT_SECONDS * 2,
                ping_interval=20,
                proxy=None,
            )
        except InvalidStatus as refused:
            log.info("websocket_refused", status=refused.response.status_code)
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        except (InvalidHandshake, OSError, TimeoutError, Unavailable) as error:
            log.warning("not_passed_on", reason=type(error).__name__)
            await _accept(send, None)
            await send({"type": "websocket.close", "code": TRY_LATER, "reason": away().message[:120]})
            return
        async with far:
            # Whether its caller proves who it is, and in time, is seen to by the server that answers. To somebody it
            # does not know that says nothing but goodbye, so its first frame tells that they are known.
            door = scope.get("state", {}).get(DOOR)
            if door is not None:
                door.proven(LARGEST_UNPROVEN)
            await _accept(send, far.subprotocol)
            await _until_either(_outward(far, send, door), _inward(far, receive))


async def _accept(send: Send, subprotocol: str | None) -> None:
    told: Any = {"type": "websocket.accept", "subprotocol": subprotocol, "headers": []}
    await send(told)


def away() -> Unavailable:
    return Unavailable(
        "The server that works on this database cannot be reached from here.",
        code="working_server_away",
        hint="Try again in a moment. If it stays so, see that it runs and that the others reach its address "
        "(QUARTERDECK_ADVERTISED_URL).",
    )


def _named(url: str, host: str | None) -> str:
    """The address under the name by which the caller knows us; where it is dialled is told apart from it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, host or parts.netloc, parts.path, parts.query, ""))


def _body(scope: Any, receive: Receive) -> AsyncIterator[bytes] | None:
    """The body as it comes; None where there is none."""
    said = {name.lower(): value for name, value in scope["headers"]}
    if said.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in said:
        return None

    async def chunks() -> AsyncIterator[bytes]:
        while True:
            message: Any = await receive()
            if message["type"] != "http.request":
                raise httpx.WriteError("the caller has left")
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body"):
                return

    return chunks()


async def _left(receive: Receive) -> None:
    """Returns once the caller has left."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return


async def _inward(far: Any, receive: Receive) -> None:
    from websockets.exceptions import ConnectionClosed

    with contextlib.suppress(ConnectionClosed):  # which the other direction tells
        while True:
            message: Any = await receive()
            if message["type"] == "websocket.disconnect":
                code = message.get("code") or GONE
                await far.close(GONE if code in UNSENT else code, (message.get("reason") or "")[:40])
                return
            text, data = message.get("text"), message.get("bytes")
            await far.send(text if text is not None else data)
    await asyncio.Event().wait()


async def _outward(far: Any, send: Send, door: UnprovenSocket | None) -> None:
    from websockets.exceptions import ConnectionClosed

    try:
        while True:
            frame = await far.recv()
            if door is not None:
                door.proven(LARGEST)
            told: Any = {"type": "websocket.send", "text" if isinstance(frame, str) else "bytes": frame}
            await send(told)
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd is not None else GONE
        reason = closed.rcvd.reason if closed.rcvd is not None else ""
        await send({"type": "websocket.close", "code": GONE if code in UNSENT else code, "reason": reason})


async def _until_either(*works: Any) -> None:
    """Until one of them has ended; the other is ended then."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            with contextlib.suppress(OSError):
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
