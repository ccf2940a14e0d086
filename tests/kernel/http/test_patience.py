"""Callers that open connections and keep the server waiting, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from quarterdeck.kernel.http.doorkeeper import EDGE, Doorkeeper, Patience
from quarterdeck.kernel.http.unproven import DOOR
from support.doors import behind_the_door

MANY = 200
LARGE = 20_000_000  # more than the buffers between two sockets take


async def application(scope, receive, send) -> None:
    """Answers with the length of what was sent; `/slow` reads late; `/stream` speaks for a while."""
    if scope["type"] == "websocket":
        await talk(scope, receive, send)
        return
    if scope["path"].endswith("/known"):
        scope["state"][DOOR].proven()
    if scope["path"] == "/early":
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"no"})
        return
    if scope["path"] == "/whole":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * LARGE})
        return
    if scope["path"].startswith("/large"):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % LARGE)]})
        for _ in range(LARGE // 100_000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        await send({"type": "http.response.body"})
        return
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


async def talk(scope, receive, send) -> None:
    """Echoes the length of what it hears; knows its caller at `/known`, and after the first message at `/asks`."""
    door = scope["state"][DOOR]
    if scope["path"] == "/known":
        door.proven(1_000_000)
    await send({"type": "websocket.accept"})
    await receive()
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": str(len(message["text"]))})
        if scope["path"] == "/asks":
            door.proven(1_000_000)


def serving(patience: Patience):
    return behind_the_door(application, patience, backlog=2048)


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
        asked = [await ask(port) for _ in range(5)]
        assert all(answer.startswith(b"HTTP/1.1 200") for answer, _ in asked)
        assert min(took for _, took in asked) < 1.0
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


async def test_who_is_read_late_has_the_whole_pause_from_then_on():
    """Read from 1.5 s on, after a look at 2 s that must count from there: the rest may come until 3.5 s."""
    async with serving(Patience(body_pause=2)) as port:
        head = b"POST /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 70001\r\n\r\n"
        caller = await Caller.dial(port, head + b"y" * 70_000)  # all is heard before reading pauses
        await asyncio.sleep(2.5)
        caller.writer.write(b"y")
        assert b"70001" in await caller.reader.read()
        await caller.hang_up()


DRIPS = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"


async def test_bodies_of_unknown_ones_are_bounded_as_heads_are():
    """A head that is whole says nothing about who sent it; whoever is known may take the time that a body may take."""
    async with (
        serving(Patience(unsaid_per_address=20)) as port,
        callers(port, 30, DRIPS % b"/known") as known,
        callers(port, 30, DRIPS % b"/") as slow,
    ):
        assert all(await asyncio.gather(*(one.ended(15) for one in slow[:9])))
        assert (await ask(port, "/", b"x"))[0].startswith(b"HTTP/1.1 200")
        for caller in (known[0], known[-1], slow[-1]):
            caller.writer.write(b"y" * 99)
            assert (await caller.reader.readuntil(b"100")).startswith(b"HTTP/1.1 200")


async def test_the_rest_of_a_body_that_is_answered_already_is_heard_for_a_moment():
    async with serving(Patience(rest=0.5)) as port, callers(port, 2, DRIPS % b"/early") as (drips, stops):
        assert (await stops.reader.readuntil(b"no")).startswith(b"HTTP/1.1 401")
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while not drips.reader.exception() and not drips.reader.at_eof() and time.monotonic() - began < 10:
                drips.writer.write(b"x")
                await drips.reader.read(1000)
                await asyncio.sleep(0.1)
        assert time.monotonic() - began < 8
        assert await stops.ended(5)


async def test_who_sends_that_rest_keeps_its_connection_as_long_as_it_goes_on():
    async with serving(Patience(headers=1, rest=30)) as port, callers(port, 1, DRIPS % b"/early") as (caller,):
        for _ in range(2):
            assert (await caller.reader.readuntil(b"no")).startswith(b"HTTP/1.1 401")
            caller.writer.write(b"y" * 99)
            await asyncio.sleep(0.3)
            caller.writer.write(DRIPS % b"/early")
        await caller.reader.readuntil(b"no")
        caller.writer.write(b"y" * 99)
        assert await caller.ended(5)  # says nothing more


async def reads_late(port: int, head: bytes, pause: float) -> int:
    """How much of a large answer comes to somebody who begins to read so late."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        loop, came = asyncio.get_running_loop(), 0
        await loop.sock_connect(raw, ("127.0.0.1", port))
        await loop.sock_sendall(raw, head)
        await asyncio.sleep(pause)
        with contextlib.suppress(ConnectionError):
            while came < LARGE and (data := await loop.sock_recv(raw, 1_000_000)):
                came += len(data)
    return came


@pytest.mark.parametrize("close", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
async def test_who_never_reads_is_closed_and_who_is_known_may_pause(close):
    head = b"GET %s HTTP/1.1\r\nHost: x\r\n" + close + b"\r\n"
    async with serving(Patience(unread=0.4)) as port:
        assert await reads_late(port, head % b"/large", 2.0) < LARGE
        assert await reads_late(port, head % b"/large/known", 2.0) >= LARGE
        assert await reads_late(port, head % b"/large", 0.1) >= LARGE


async def test_who_does_not_read_what_is_whole_is_closed_when_its_connection_is():
    """All is written at once, and less than would make the writer wait."""
    async with serving(Patience(unread=0.4, unread_of_known=0.4)) as port:
        asks = b"GET /large/known HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert await reads_late(port, asks, 0.1) >= LARGE
        began = time.monotonic()
        assert await reads_late(port, asks.replace(b"/large/known", b"/whole"), 3.0) < LARGE
        assert time.monotonic() - began < 15


async def test_those_who_do_not_read_are_bounded_too():
    asks = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
    async with serving(Patience(unread=60, unsaid_per_address=10)) as port:
        late = []
        for _ in range(15):
            late.append(asyncio.create_task(reads_late(port, asks, 5.0)))
            await asyncio.sleep(0.1)  # so that none is counted for its head
        assert (await ask(port, "/", b"x"))[0].startswith(b"HTTP/1.1 200")
        came = await asyncio.gather(*late)
        assert 5 <= len([size for size in came if size < LARGE]) <= 6


def test_those_behind_the_edge_are_not_taken_for_one():
    class Comes:
        went = False

        def dismiss(self, reason: str) -> None:
            self.went = True

    keeper = Doorkeeper(Patience(unsaid_per_address=2, unsaid=5))
    some = [Comes() for _ in range(6)]
    for one in some:
        keeper.waits(one, EDGE)
    assert [one.went for one in some] == [True, *[False] * 5]


SHORT = Patience(headers=0.3, body=0.6, body_pause=0.3, proof=0.3)


async def test_a_socket_and_an_event_stream_outlive_every_deadline():
    async with (
        serving(SHORT) as port,
        connect(f"ws://127.0.0.1:{port}/known", proxy=None, ping_interval=None) as silent,
        connect(f"ws://127.0.0.1:{port}/known", proxy=None) as talking,
    ):
        for said in (b"GET /stream HTTP/1.1\r\n", b"POST /stream HTTP/1.1\r\nContent-Length: 2\r\n"):
            async with callers(port, 1, said + b"Host: x\r\nConnection: close\r\n\r\n") as (following,):
                following.writer.write(b"{}" if said.startswith(b"POST") else b"")
                assert (await following.reader.read()).endswith(b"0\r\n\r\n")
            await talking.send("four")
            assert await talking.recv() == "4"
        await silent.send("x" * 500_000)
        assert await silent.recv() == "500000"


UPGRADE = (
    b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def test_a_socket_of_somebody_unknown_ends_soon_without_its_consent():
    async with serving(SHORT) as port, callers(port, 3, UPGRADE % b"/asks") as silent:
        for one in silent:
            assert (await one.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        assert all(await asyncio.gather(*(one.ended(5) for one in silent)))


async def test_sockets_of_unknown_ones_are_bounded_and_the_newcomer_stays():
    async with (
        serving(Patience(proof=60, unsaid_per_address=20)) as port,
        callers(port, 30, UPGRADE % b"/asks"),
        connect(f"ws://127.0.0.1:{port}/asks", proxy=None) as honest,
    ):
        await honest.send("hello")
        assert await honest.recv() == "5"
        async with callers(port, 30, UPGRADE % b"/asks") as more:
            assert all(await asyncio.gather(*(one.reader.readuntil(b"\r\n\r\n") for one in more[-20:])))
            await asyncio.gather(*(one.ended(5) for one in more[:10]))
            assert not [one for one in more[:10] if not (one.reader.at_eof() or one.reader.exception())]
            await honest.send("x" * 500_000)  # known by now, so it is none of those that are counted
            assert await honest.recv() == "500000"


@pytest.mark.parametrize("fragments", [1, 4])
async def test_a_message_of_somebody_unknown_is_refused_before_it_is_assembled(fragments):
    async with (
        serving(Patience()) as port,
        connect(f"ws://127.0.0.1:{port}/asks", proxy=None, compression=None) as unknown,
    ):
        part = "x" * (100_000 // fragments)
        with contextlib.suppress(ConnectionClosed):
            await unknown.send([part] * fragments)
        with pytest.raises(ConnectionClosed) as closed:
            await unknown.recv()
        assert closed.value.rcvd.code == 1009


async def test_a_frame_is_refused_by_the_size_that_its_head_names():
    async with serving(Patience()) as port, callers(port, 1, UPGRADE % b"/asks") as (unknown,):
        await unknown.reader.readuntil(b"\r\n\r\n")
        unknown.writer.write(b"\x81\xff" + (15_900_000).to_bytes(8) + b"mask" + b"x")
        assert (await unknown.reader.read(4))[2:] == (1009).to_bytes(2)


async def test_a_body_of_two_lengths_is_refused_and_the_connection_closed():
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\ntransfer-encoding: chunked\r\n\r\n"
    follows = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    async with serving(Patience()) as port, callers(port, 1, head + follows) as (both,):
        answer = await both.reader.read()
        assert answer.startswith(b"HTTP/1.1 400")
        assert answer.count(b"HTTP/1.1") == 1
