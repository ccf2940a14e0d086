"""What a server passes on for callers that it does not know, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from quarterdeck.kernel.http.doorkeeper import Patience
from quarterdeck.kernel.http.forwarding import LARGEST, Forwarding
from quarterdeck.kernel.http.unproven import LARGEST_UNPROVEN
from support.doors import behind_the_door

SECONDS = 60


@contextlib.asynccontextmanager
async def beside(heard: list[int]):
    """The port of a server that passes everything on to one that greets whoever says hello; `heard` is the length of
    each message that came there.
    """

    async def answering(connection):
        async for said in connection:
            heard.append(len(said))
            if said == "hello":
                await connection.send("welcome")

    async with serve(answering, "127.0.0.1", 0, max_size=LARGEST) as far:
        port = far.sockets[0].getsockname()[1]

        async def target():
            return f"http://127.0.0.1:{port}"

        forwarding = Forwarding(None, here=lambda _method, _path: False, target=target, header=lambda _scope: b"-")
        async with behind_the_door(forwarding, Patience(proof=SECONDS)) as own:
            yield own


def dialled(port: int):
    return connect(f"ws://127.0.0.1:{port}/api/workers/control", proxy=None, compression=None, max_size=LARGEST)


@pytest.mark.parametrize("first", [[], ["h" * LARGEST_UNPROVEN]], ids=["at once", "after something"])
async def test_a_large_frame_is_refused_until_the_server_that_answers_has_said_something(first):
    heard: list[int] = []
    async with asyncio.timeout(SECONDS), beside(heard) as port, dialled(port) as caller:
        for frame in first:
            await caller.send(frame)
        with contextlib.suppress(ConnectionClosed):
            await caller.send("x" * (LARGEST_UNPROVEN + 1))
        with pytest.raises(ConnectionClosed):
            await caller.recv()
        assert caller.close_code == 1009
    assert LARGEST_UNPROVEN + 1 not in heard


async def test_a_caller_whom_that_server_has_answered_may_send_large_frames():
    heard: list[int] = []
    async with asyncio.timeout(SECONDS), beside(heard) as port, dialled(port) as caller:
        await caller.send("hello")
        assert await caller.recv() == "welcome"
        await caller.send("x" * 2_000_000)
        await caller.send("hello")
        assert await caller.recv() == "welcome"
    assert heard == [5, 2_000_000, 5]
