"""What is decided about a worker after its hello and before its welcome."""

from __future__ import annotations

import asyncio

import pytest

from quarterdeck.fleet.workers import control, draining
from quarterdeck.fleet.workers.control import WorkerControl
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.jobs.transport import Disconnected
from support.enrolled import TOKENS, enrolled


class Line:
    """A connection that says hello, keeps what it is sent, and hangs up when it is told to or closed."""

    def __init__(self, hello: frames.Hello) -> None:
        self._hello: frames.Hello | None = hello
        self._gone = asyncio.Event()
        self.sent: list[object] = []
        self.code: int | None = None

    async def send(self, frame: object) -> None:
        if self._gone.is_set():
            raise Disconnected(frames.BAD_FRAME, "hung up")
        self.sent.append(frame)

    async def receive(self) -> object:
        if self._hello is not None:
            hello, self._hello = self._hello, None
            return hello
        await self._gone.wait()
        raise Disconnected(frames.BAD_FRAME, "hung up")

    async def close(self, code: int, reason: str = "") -> None:
        if self._gone.is_set():
            raise Disconnected(frames.BAD_FRAME, "hung up")
        self.code = code
        self._gone.set()

    def hang_up(self) -> None:
        self._gone.set()

    def proven(self) -> None: ...

    def abort(self) -> None: ...


@pytest.fixture
async def workers(database):
    made = jobs.Jobs(database, owner="process:test")
    await made.start(worker=False)
    yield WorkerControl(made, TOKENS)
    await made.stop()


def decided(tx, worker_id, verb):
    return verb(tx, tx.get(Worker, worker_id))


def meanwhile(monkeypatch, act):
    """Do something while a seated worker is asked for once more, which is between its hello and its welcome."""
    loop, asked = asyncio.get_running_loop(), control._holds

    def holds(tx, *of):
        asyncio.run_coroutine_threadsafe(act(), loop).result(30)
        return asked(tx, *of)

    monkeypatch.setattr(control, "_holds", holds)


async def test_a_worker_that_is_undrained_before_its_welcome_is_welcomed_first(workers, database, monkeypatch):
    made = await database.write(enrolled)
    await database.write(decided, made.id, draining.drain)
    line = Line(frames.Hello(credential=made.access.reveal(), name="vm", slots=1))

    async def undrain():
        await workers.follow(await database.write(decided, made.id, draining.undrain))

    meanwhile(monkeypatch, undrain)
    serving = asyncio.create_task(workers.serve(line))
    async with asyncio.timeout(30):
        while not line.sent:
            await asyncio.sleep(0.01)
    assert isinstance(line.sent[0], frames.Welcome)
    assert not any(isinstance(one, frames.Drain) for one in line.sent)
    line.hang_up()
    await serving
    assert workers.count == 0


async def test_a_worker_that_hangs_up_and_is_decommissioned_before_its_welcome_is_forgotten(
    workers, database, monkeypatch
):
    made = await database.write(enrolled)
    line = Line(frames.Hello(credential=made.access.reveal(), name="vm", slots=1))

    async def decommission():
        line.hang_up()
        await database.write(decided, made.id, draining.decommission)

    meanwhile(monkeypatch, decommission)
    await workers.serve(line)
    assert workers.count == 0
