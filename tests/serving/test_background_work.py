"""What a server promises of the work beside its requests."""

from __future__ import annotations

import asyncio

from quarterdeck.instance import kept


async def test_background_work_that_fails_is_begun_anew():
    begun: list[int] = []
    lives = asyncio.Event()

    async def work() -> None:
        begun.append(len(begun))
        if len(begun) < 3:
            raise OSError(28, "No space left on device")
        lives.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(kept(work, "a sealer", pause=0))
    await asyncio.wait_for(lives.wait(), 5)
    assert not task.done()
    task.cancel()
    assert await asyncio.gather(task, return_exceptions=True) != []
    assert task.cancelled()
