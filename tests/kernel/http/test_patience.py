"""Callers that open connections and keep the server waiting, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

import pytest
import uvicorn

from quarterdeck.kernel.http.patience import Patience, patient

MANY = 200


async def application(scope, receive, send) -> None:
    """Answers with the length of what was sent; `/slow` reads late; `/stream` speaks for a while."""
    assert scope["type"] == "http"
    if scope["path"] == "/slow":
        await asyncio.sleep(1.5)
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(15 if scope["path"] == "/stream" else 0):
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await asyncio.sleep(0.1)
    await send({"type": "http.response.body", "body": str(length).encode()})


@contextlib.asynccontextmanager
async def serving(patience: Patience):
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        config = uvicorn.Config(
            application, http=patient(patience), log_config=None, lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


class Caller:
    """One connection."""

    def __init__(self, reader, writer) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def dial(cls, port: int, said: bytes = b"") -> Caller:
        caller = cls(*await asyncio.open_connection("127.0.0.1", port))
        caller.writer.write(said)
        return caller

    async def ended(self, seconds: float) -> bool:
        """Whether the server closes it within that time."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                return await self.reader.read() == b""
            return False
        return self.reader.at_eof() or self.reader.exception() is not None

    async def hang_up(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def callers(port: int, count: int, said: bytes):
    made = [await Caller.dial(port, said) for _ in range(count)]
    try:
        yield made
    finally:
        for caller in made:
            await caller.hang_up()


async def ask(port: int, path: str = "/", body: bytes = b"") -> tuple[bytes, float]:
    began = time.monotonic()
    caller = await Caller.dial(
        port,
        b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(body)),
    )
    caller.writer.write(body)
    answer = await caller.reader.read()
    await caller.hang_up()
    return answer, time.monotonic() - began


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-One: "], ids=["silent", "half a head"])
async def test_hundreds_of_half_open_connections_hold_nobody_up_and_are_closed(said):
    async with serving(Patience(headers=3, unsaid_per_address=1000)) as port, callers(port, MANY, said) as slow:
        for _ in range(5):
            answer, took = await ask(port)
            assert answer.startswith(b"HTTP/1.1 200")
            assert took < 1.0
        assert not slow[-1].reader.at_eof()
        assert all(await asyncio.gather(*(one.ended(15) for one in slow)))


async def test_a_head_that_trickles_in_is_closed_too():
    async with serving(Patience(headers=1)) as port, callers(port, 1, b"GET / HTTP/1.1\r\n") as (slow,):
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while not slow.reader.at_eof() and time.monotonic() - began < 15:
                slow.writer.write(b"X-A: b\r\n")
                await slow.writer.drain()
                await asyncio.sleep(0.1)
        assert time.monotonic() - began < 10


async def test_beyond_the_bound_the_longest_waiting_goes_and_the_newcomer_stays():
    async with (
        serving(Patience(headers=60, unsaid_per_address=20)) as port,
        callers(port, 30, b"GET / HTTP/1.1\r\n") as slow,
    ):
        assert all(await asyncio.gather(*(one.ended(15) for one in slow[:9])))
        assert (await ask(port))[0].startswith(b"HTTP/1.1 200")
        newest = slow[-1]
        newest.writer.write(b"Host: x\r\nConnection: close\r\n\r\n")
        assert (await newest.reader.read()).startswith(b"HTTP/1.1 200")


async def test_the_bound_of_all_is_kept_too():
    async with serving(Patience(headers=60, unsaid=5)) as port, callers(port, 10, b"") as slow:
        assert all(await asyncio.gather(*(one.ended(15) for one in slow[:5])))
        assert not await slow[-1].ended(0.2)
        assert (await ask(port))[0].startswith(b"HTTP/1.1 200")


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"


async def test_a_body_that_stops_or_takes_for_ever_is_closed():
    async with serving(Patience(body_pause=0.5)) as port, callers(port, 1, HEAD + b"x") as (stuck,):
        assert await stuck.ended(15)
    async with serving(Patience(body_pause=5, body=1.0)) as port, callers(port, 1, HEAD) as (trickling,):
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while not trickling.reader.at_eof() and time.monotonic() - began < 15:
                trickling.writer.write(b"x")
                await trickling.writer.drain()
                await asyncio.sleep(0.2)
        assert time.monotonic() - began < 10


async def test_who_is_answered_slowly_read_late_or_kept_alive_is_not_closed():
    impatient = Patience(headers=0.5, body=60, body_pause=0.5)
    async with serving(impatient) as port:
        answer, took = await ask(port, "/stream")
        assert answer.count(b"x\r\n") + answer.count(b"x") >= 15
        assert took > 1
        large = b"y" * 3_000_000  # more than is read ahead
        assert b"3000000" in (await ask(port, "/slow", large))[0]
        kept = await Caller.dial(port)
        for _ in range(3):
            kept.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in await kept.reader.readuntil(b"0\r\n\r\n")
            await asyncio.sleep(0.7)  # longer than a head may take: nothing has begun
        await kept.hang_up()
