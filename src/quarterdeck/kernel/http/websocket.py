"""WebSocket routes: declared like any other, with limits on both directions."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import WebsocketRouteHandler

from quarterdeck.kernel.http.endpoint import litestar_path, path_names, snake
from quarterdeck.kernel.http.guard import PUBLIC
from quarterdeck.kernel.http.unproven import DOOR, UnprovenSocket
from quarterdeck.kernel.principal import Principal, current
from quarterdeck.kernel.unreadable import UNREADABLE

T = TypeVar("T")
LARGEST = 1_000_000  # bytes of one incoming frame
PATIENCE = 30.0  # seconds that one outgoing frame may wait for a slow peer

NORMAL, GOING_AWAY, MALFORMED, POLICY, TOO_BIG, TRY_LATER = 1000, 1001, 1007, 1008, 1009, 1013
UNAUTHENTICATED, FORBIDDEN, NOT_FOUND = 4401, 4403, 4404


class Closed(Exception):
    """The connection has ended, by whichever side."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Socket:
    """An accepted connection. Every method raises `Closed` once the connection has ended."""

    def __init__(self, raw: WebSocket[Any, Any, Any], *, largest: int = LARGEST, patience: float = PATIENCE) -> None:
        self.raw = raw
        self.largest = largest
        self.patience = patience
        self._sending = asyncio.Lock()

    @property
    def principal(self) -> Principal:
        return current.get().principal

    @property
    def path(self) -> Mapping[str, str]:
        return self.raw.path_params

    @property
    def query(self) -> Mapping[str, str]:
        return {key: values[-1] for key, values in self.raw.query_params.dict().items()}

    def service(self, name: str) -> Any:
        return self.raw.app.state[name]

    def _door(self) -> UnprovenSocket | None:
        """None where the application is not served by our own server."""
        door: UnprovenSocket | None = self.raw.scope["state"].get(DOOR)
        return door

    def proven(self) -> None:
        """The caller is known: it may stay, and send what this route takes. Called where the guard has admitted it."""
        if (door := self._door()) is not None:
            door.proven(self.largest)

    def abort(self) -> None:
        """End the connection without waiting for its peer."""
        if (door := self._door()) is not None:
            door.abort()

    async def receive(self) -> str | bytes:
        """The next frame. A frame above the limit closes the connection with 1009."""
        event = await self.raw.receive()
        if event["type"] == "websocket.disconnect":
            raise Closed(int(event.get("code") or GOING_AWAY))
        data: str | bytes | None = event.get("text")  # type: ignore[assignment]
        if data is None:
            data = event.get("bytes") or b""  # type: ignore[assignment]
        if data is None or len(data) > self.largest:
            await self.close(TOO_BIG, f"frames may have at most {self.largest} bytes")
            raise Closed(TOO_BIG)
        return data

    async def receive_as(self, kind: type[T]) -> T:
        """The next frame as a struct. A frame of another shape closes the connection with 1007."""
        data = await self.receive()
        try:
            return msgspec.json.decode(data, type=kind)
        except UNREADABLE as error:
            await self.close(MALFORMED, str(error))
            raise Closed(MALFORMED) from None

    async def frames(self, kind: type[T]) -> AsyncIterator[T]:
        """Frames until the peer leaves."""
        try:
            while True:
                yield await self.receive_as(kind)
        except Closed:
            return

    async def send(self, frame: Any) -> None:
        """Send bytes as a binary frame, a str as a text frame, anything else as JSON text."""
        data = frame if isinstance(frame, str | bytes) else msgspec.json.encode(frame).decode()
        try:
            async with self._sending, asyncio.timeout(self.patience):
                await self.raw.send_data(data, mode="binary" if isinstance(data, bytes) else "text")
        except TimeoutError:
            await self.close(TRY_LATER, "this connection is too slow")
            raise Closed(TRY_LATER) from None
        except (WebSocketDisconnect, RuntimeError):
            raise Closed(GOING_AWAY) from None

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """End the connection; harmless when it has ended already. Reasons are cut at 120 bytes."""
        try:
            async with asyncio.timeout(self.patience):
                await self.raw.close(code, reason.encode()[:120].decode(errors="ignore"))
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            return


def socket(
    path: str,
    *,
    permission: str,
    summary: str = "",
    frames: Mapping[str, Any | Sequence[Any]] | None = None,
    accept: bool = True,
    protocols: str | None = None,
    largest: int = LARGEST,
) -> Callable[[Callable[..., Awaitable[None]]], WebsocketRouteHandler]:
    """Declare a WebSocket route. The function takes `socket`, path parameters in snake case and services by name.

    `frames` documents the types of each direction: `{"client": [...], "server": [...]}`. With `accept=False` the
    function accepts by itself (`await socket.raw.accept()`), after it has looked. Leaving the function closes.
    """

    def bind(handler: Callable[..., Awaitable[None]]) -> WebsocketRouteHandler:
        params = list(inspect.signature(handler).parameters)
        routed = {snake(name): name for name in path_names(path)}
        services = [name for name in params if name != "socket" and name not in routed]

        async def handle(socket: WebSocket[Any, Any, Any]) -> None:
            wrapped = Socket(socket, largest=largest)
            if permission != PUBLIC:
                wrapped.proven()
            if accept:
                await socket.accept(subprotocols=protocols)
            given: dict[str, Any] = {name: socket.path_params[wire] for name, wire in routed.items() if name in params}
            given |= {name: socket.app.state[name] for name in services}
            try:
                await handler(**({"socket": wrapped} if "socket" in params else {}), **given)
            except Closed:
                return
            await wrapped.close()

        handle.__name__ = handle.__qualname__ = handler.__name__
        handle.__module__ = handler.__module__
        handle.__annotations__ = {"socket": WebSocket, "return": None}
        text = summary or (inspect.getdoc(handler) or "").partition("\n")[0]
        opt = {"permission": permission, "summary": text, "frames": dict(frames or {})}
        return WebsocketRouteHandler(litestar_path(path), opt=opt)(handle)

    return bind
