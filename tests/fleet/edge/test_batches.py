"""What changes of the route set that wait for each other promise."""

from __future__ import annotations

import asyncio

from quarterdeck.fleet.edge.batches import Batches, Change


async def test_a_batch_that_fails_for_any_reason_answers_every_caller():
    first_may_go = asyncio.Event()
    applied: list[list[str]] = []

    async def apply(changes: list[Change]) -> bool:
        names = [change.remove[0] for change in changes]
        applied.append(names)
        if names == ["first"]:
            await first_may_go.wait()
        if "bad" in names:
            raise OSError(28, "No space left on device")
        return True

    batches = Batches(apply)
    waiting = [asyncio.create_task(batches.submit(Change(remove=(name,)))) for name in ("first", "good", "bad")]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first_may_go.set()
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert outcomes[:2] == [True, True]
    assert isinstance(outcomes[2], OSError)
    assert applied[-2:] == [["good"], ["bad"]]


async def test_changes_that_wait_are_loaded_together():
    applied: list[int] = []

    async def apply(changes: list[Change]) -> bool:
        applied.append(len(changes))
        await asyncio.sleep(0.01)
        return True

    batches = Batches(apply)
    await asyncio.gather(*(batches.submit(Change(remove=(str(number),))) for number in range(5)))
    assert sum(applied) == 5
    assert len(applied) <= 2
