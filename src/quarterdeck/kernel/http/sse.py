"""Server-sent events: a source of events in, a stream that keeps alive, ends and fails in documented ways out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send

from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.dialects import Dialect
from quarterdeck.kernel.http.failures import failure_of
from quarterdeck.kernel.http.perimeter import HEAD_ONLY
from quarterdeck.kernel.http.seats import Seat
from quarterdeck.kernel.principal import current

KEEP_ALIVE = 5.0  # seconds of silence before a comment
PATIENCE = 30.0  # seconds that one write may wait for a slow client before it is dropped

STILL_ADMITTED = "quarterdeck.still_admitted"  # in a scope's state: raises once its caller is admitted no more

_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `data` is anything msgspec encodes; `id` is what the client sends back as Last-Event-ID."""

    data: Any
    event: str = "message"  # or done, error
    id: str | int | None = None

    def encoded(self) -> bytes:
        text = b"event: %s\n" % self.event.encode()
        if self.id is not None:
            text += b"id: %s\n" % str(self.id).replace("\n", "").encode()
        return text + b"data: " + _encode(self.data) + b"\n\n"


def done(data: Any) -> Event:
    """The last event of a stream that ended as it should."""
    return Event(data, "done")


class EventStream:
    """Answers a request with events until the source ends, fails or the client leaves.

    The source yields `Event`s, plain data (sent as `message`) or bytes that are already encoded and shared between
    followers. It is pulled: nothing is read ahead of the client, and a client that does not take a write within
    `patience` seconds is dropped. Every `keep_alive` seconds the caller has to be admitted still, and `found` to find
    what is followed: it raises a `Problem` where that may not be seen any more. However the stream ends, the source is
    closed, and the `seat` that was taken for it is left. A `Problem` or defect in the source becomes an `event: error`
    with the surface's envelope.
    """

    def __init__(
        self,
        source: AsyncIterator[Any],
        *,
        found: Callable[[], Awaitable[object]] | None = None,
        seat: Seat | None = None,
        keep_alive: float = KEEP_ALIVE,
        patience: float = PATIENCE,
    ) -> None:
        self.source = source
        self.found = found
        self.seat = seat
        self.keep_alive = keep_alive
        self.patience = patience
        self.dialect: Dialect | None = None
        self.headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no"), *self.headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if HEAD_ONLY in (scope.get("extensions") or {}):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            await self._close()
            return
        gone = asyncio.create_task(self._gone(receive))
        following: asyncio.Future[Any] | None = None
        try:
            await self._put(send, b": open\n\n")
            following = asyncio.ensure_future(anext(self.source))
            still = scope.get("state", {}).get(STILL_ADMITTED)
            loop = asyncio.get_running_loop()
            checked = loop.time()
            while True:
                finished, _ = await asyncio.wait(
                    {following, gone}, timeout=self.keep_alive, return_when=asyncio.FIRST_COMPLETED
                )
                if gone in finished:
                    return
                if loop.time() - checked >= self.keep_alive:
                    checked = loop.time()
                    try:
                        if still is not None:
                            await still()
                        if self.found is not None:
                            await self.found()
                    except Problem as error:
                        await self._put(send, self._failure(error))
                        break
                if following not in finished:
                    await self._put(send, b": keep-alive\n\n")
                    continue
                try:
                    chunk = self._chunk(following.result())
                except StopAsyncIteration:
                    break
                except Exception as error:  # noqa: BLE001 - told to the client in its envelope
                    await self._put(send, self._failure(error))
                    break
                await self._put(send, chunk)
                following = asyncio.ensure_future(anext(self.source))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # the client is too slow; the connection ends here
        finally:
            await self._close(gone, following)

    @staticmethod
    def _chunk(item: Any) -> bytes:
        if isinstance(item, bytes):
            return item
        return (item if isinstance(item, Event) else Event(item)).encoded()

    def _failure(self, error: Exception) -> bytes:
        failure = failure_of(error, current.get().request_id)
        if self.dialect is None:
            return Event({"error": failure.message}, "error").encoded()
        return Event(self.dialect.body(failure, self.dialect.status(failure)), "error").encoded()

    async def _put(self, send: Send, chunk: bytes) -> None:
        async with asyncio.timeout(self.patience):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

    @staticmethod
    async def _gone(receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _close(self, *tasks: asyncio.Future[Any] | None) -> None:
        if self.seat is not None:
            self.seat.leave()
        for task in tasks:
            if task is not None and not task.done():
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
        closing = getattr(self.source, "aclose", None)
        if closing is not None:
            with contextlib.suppress(RuntimeError):
                await closing()
