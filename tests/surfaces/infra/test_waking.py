"""Runners hear at once that work waits, or that they have to stop."""

from __future__ import annotations

import asyncio
import contextlib
import uuid

import httpx
import pytest

from quarterdeck.kernel.http.doorkeeper import Patience
from support.doors import behind_the_door
from surfaces.infra.foreign_runner import ForeignRunner
from surfaces.infra.runner_yard import GENERATIONS, asked, configured, runner


@pytest.fixture
async def wide(crew):
    """The same application on a socket: streams come as they are written."""
    application = crew.deck.client._transport.app
    async with (
        behind_the_door(application, Patience()) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


class Listening:
    """A runner's open stream, read in the background."""

    def __init__(self, made, client):
        self.heard = asyncio.Queue()
        self._task = asyncio.create_task(self._read(ForeignRunner(client, made.id, made.token, made.generation)))

    async def _read(self, made):
        async for told in made.wake():
            await self.heard.put(told)

    async def next(self, seconds=5.0):
        async with asyncio.timeout(seconds):
            return await self.heard.get()

    async def close(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@contextlib.asynccontextmanager
async def listening(made, client):
    one = Listening(made, client)
    try:
        yield one
    finally:
        await one.close()


@GENERATIONS
async def test_a_runner_that_listens_hears_of_work_and_of_cancellation_and_is_online(crew, wide, generation):
    made, spec = await runner(crew, generation=generation), await configured(crew)
    first = await asked(crew, "PLAN", spec)
    async with listening(made, wide) as stream:
        assert await stream.next() == {"type": "wake"}
        assert (await crew.ok("GET", f"/api/cli/workers/{made.id}"))["worker"]["status"] == "ONLINE"
        await made.claim()
        await crew.ok("POST", f"/api/cli/jobs/{first['id']}/cancel", None)
        while (told := await stream.next())["type"] == "wake":
            pass
        assert told == {"type": "cancel", "job_id": first["id"]}


async def test_a_wake_up_comes_within_a_tenth_of_a_second(crew, wide):
    made = await runner(crew)
    async with listening(made, wide) as stream:
        await asyncio.sleep(0.3)

        async def once():
            await asyncio.sleep(0.3)
            queued = await asked(crew, "PLAN", await configured(crew, f"spec-{uuid.uuid4().hex[:8]}"))
            began = asyncio.get_running_loop().time()
            assert await stream.next() == {"type": "wake"}
            taken = asyncio.get_running_loop().time() - began
            await crew.ok("POST", f"/api/cli/jobs/{queued['id']}/cancel", None)
            while not stream.heard.empty():
                stream.heard.get_nowait()
            return taken

        assert sorted([await once() for _ in range(9)])[4] <= 0.1


async def test_nobody_is_woken_for_what_is_not_theirs(crew, wide):
    made, other = await runner(crew), await runner(crew, "rack-8")
    _, eve = await crew.person("eve", "organization:owner", organization="org_elsewhere")
    await crew.ok("POST", f"/api/cli/workers/{other.id}/drain", {})
    async with listening(made, wide) as mine, listening(other, wide) as drained:
        await asked(crew, "PLAN", await configured(crew, token=eve), token=eve)
        await asked(crew, "PLAN", await configured(crew), assigned_worker_id=other.id)
        own = await asked(crew, "PLAN", await configured(crew, "own"))
        assert await mine.next() == {"type": "wake"}
        assert (await made.claim())["id"] == own["id"]
        assert drained.heard.empty()


async def test_a_runner_has_two_streams_at_most_and_gets_a_place_back(crew, wide):
    made = await runner(crew)
    await asked(crew, "PLAN", await configured(crew))

    async def third():
        async with wide.stream("GET", "/api/workers/wake", headers=made.headers) as answer:
            return answer.status_code

    async with listening(made, wide) as one, listening(made, wide) as two:
        await one.next()
        await two.next()
        assert await third() == 429
        await two.close()
        async with asyncio.timeout(5):
            while await third() != 200:
                await asyncio.sleep(0.05)


async def test_a_stream_ends_with_its_registration(crew, wide):
    made = await runner(crew)
    async with wide.stream("GET", "/api/workers/wake", headers=made.headers, timeout=20) as answer:
        assert answer.status_code == 200
        await crew.ok("DELETE", f"/api/cli/workers/{made.id}")
        told = b"".join([part async for part in answer.aiter_raw()])
    assert b"Invalid worker ID or token" in told
