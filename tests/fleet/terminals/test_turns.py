"""However many terminals storm, they leave the loop half of its time, and a quiet one its turn."""

from __future__ import annotations

import asyncio
import time

import pytest

from quarterdeck.fleet.terminals.turns import PART, WORK_SECONDS, Turns, turns

EACH = 0.003


def busy(seconds=EACH):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


async def storming(one, spans):
    clock = asyncio.get_running_loop().time

    def work():
        begun = clock()
        busy()
        spans.append((begun, clock()))

    while True:
        await one.do(work)


async def ended(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("terminals", [1, 8])
async def test_all_of_them_together_take_half_of_the_time_at_most(terminals):
    one, spans = turns(), []
    begun = asyncio.get_running_loop().time()
    tasks = [asyncio.create_task(storming(one, spans)) for _ in range(terminals)]
    await asyncio.sleep(0.6)
    await ended(tasks)
    whole = asyncio.get_running_loop().time() - begun
    worked = sum(end - start for start, end in spans)
    longest = max(end - start for start, end in spans)
    assert worked > WORK_SECONDS
    assert worked <= whole / 2 + WORK_SECONDS + longest


async def test_who_comes_once_is_served_before_those_who_storm_have_had_another_turn():
    one, order = Turns(), []

    async def storm(name):
        while True:
            await one.do(lambda: (busy(), order.append(name)))

    tasks = [asyncio.create_task(storm(name)) for name in "abcdef"]
    while len(order) < 20:
        await asyncio.sleep(0)
    for _ in range(5):
        before = len(order)
        await one.do(lambda: order.append("quiet"))
        others = order[before:-1]
        assert len(others) == len(set(others)), "each of them once at most"
        await asyncio.sleep(0.01)
    await ended(tasks)


async def test_who_is_gone_before_its_turn_keeps_nobody_from_theirs():
    one, done = Turns(), []
    await one.do(lambda: busy(WORK_SECONDS * 2))
    waiting = [asyncio.create_task(one.do(lambda number=number: done.append(number))) for number in range(4)]
    await asyncio.sleep(0)
    assert not done, "it rests"
    waiting[0].cancel()
    while not one._given:
        await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert done == [2, 3]
    assert await one.do(lambda: "at once") == "at once"


async def test_what_fails_gives_its_turn_back():
    one = Turns()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await one.do(lambda: (busy(WORK_SECONDS), 1 / 0))
    assert await one.do(lambda: "next") == "next"


async def test_what_cannot_wait_is_owed():
    one = Turns()
    one.at_once(lambda: busy(WORK_SECONDS * 2))
    begun = asyncio.get_running_loop().time()
    await one.do(lambda: None)
    assert asyncio.get_running_loop().time() - begun > WORK_SECONDS


async def test_output_is_taken_in_parts_whole_and_in_order():
    data, parts = bytes(range(256)) * 40, []
    await turns().take(data, parts.append)
    assert b"".join(parts) == data
    assert max(map(len, parts)) == PART


async def test_there_is_one_of_them_for_a_loop():
    assert turns() is turns()
    assert await asyncio.to_thread(lambda: asyncio.run(_other())) is not turns()


async def _other():
    return turns()
