"""How open requests end when the server stops: streams at once and whole, everything else in its own time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from litestar.types import ASGIApp, Receive, Send


class Leaving:
    """Wraps the application. Once `stopping()` is set, a request that was read to its end hears that its client is
    gone, which is what event streams wait for; its answer is then ended as it should be, so that a client connects
    again at once instead of taking the cut for a failure.
    """

    def __init__(self, app: ASGIApp, stopping: Callable[[], asyncio.Event]) -> None:
        self.app = app
        self._stopping = stopping

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stopping = self._stopping()
        read = started = ended = False

        async def incoming() -> Any:
            nonlocal read
            if not read:
                message = await receive()
                read = message["type"] != "http.request" or not message.get("more_body", False)
                return message
            waiting = asyncio.ensure_future(receive())
            stop = asyncio.ensure_future(stopping.wait())
            try:
                await asyncio.wait({waiting, stop}, return_when=asyncio.FIRST_COMPLETED)
                return waiting.result() if waiting.done() else {"type": "http.disconnect"}
            finally:
                waiting.cancel()
                stop.cancel()

        async def outgoing(message: Any) -> None:
            nonlocal started, ended
            if message["type"] == "http.response.start":
                started = True
            elif message["type"] == "http.response.body":
                ended = not message.get("more_body", False)
            await send(message)

        await self.app(scope, incoming, outgoing)
        if started and not ended and stopping.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})
