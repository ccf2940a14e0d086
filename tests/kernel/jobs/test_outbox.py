"""What a worker's output may take while the server is away or slow."""

from __future__ import annotations

import asyncio

import pytest

from quarterdeck.kernel.jobs import frames, outbox
from quarterdeck.kernel.jobs.outbox import Outbox, Pending


def batch(number, size=100):
    return Pending(frames.LogBatch(id=f"b{number}", job_id=1, fence=1, from_seq=number, lines=[]), size=size)


async def everything(box):
    taken = []
    while True:
        try:
            async with asyncio.timeout(0.02):
                taken.append((await box.next()).id)
        except TimeoutError:
            return taken


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(outbox, "MOST", 1000)
    monkeypatch.setattr(outbox, "WINDOW", 300)
    return Outbox()


async def test_output_that_waits_is_bounded_and_what_was_dropped_is_never_sent(small):
    small.keep(Pending(frames.JobResult(id="end", job_id=1, fence=1, outcome=None)))
    for number in range(100):
        small.keep(batch(number))
        assert sum(one.size for one in small._pending.values()) <= 1000
    small.connect()
    taken = await everything(small)
    while len(left := await everything(small)) or taken[-1] != "b99":
        taken += left
        for ref in taken:
            small.settle(ref)
    assert taken[0] == "end"
    assert taken[1:] == [f"b{number}" for number in range(100 - (len(taken) - 1), 100)]


async def test_no_more_is_on_its_way_than_the_server_can_soon_store(small):
    for number in range(8):
        small.keep(batch(number))
    assert await everything(small) == ["b0", "b1", "b2"]
    small.once(frames.Heartbeat(id="beat"))
    assert await everything(small) == ["beat"]
    small.settle("b0")
    assert await everything(small) == ["b3"]
    small.connect()
    assert await everything(small) == ["b1", "b2", "b3"]


async def test_who_can_wait_goes_on_when_half_of_the_room_is_free(small):
    for number in range(8):
        small.keep(batch(number))
    waiting = asyncio.create_task(small.room())
    for number in range(3):
        await asyncio.sleep(0)
        assert not waiting.done()
        small.settle(f"b{number}")
    await asyncio.wait_for(waiting, 1)
