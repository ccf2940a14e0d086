"""A task from the queue to its branch: the dispatcher, the ledger, a session, the worker and its agent, all real."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path

import pytest
from tests.tasks.running.desk import Bench

from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import SystemClock
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.jobs.session import Session
from quarterdeck.kernel.jobs.transport import Disconnected, memory_pair
from quarterdeck.kernel.jobs.worker import Offer, Worker
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Vault
from quarterdeck.tasks.dispatching.loop import Dispatching, beside
from quarterdeck.tasks.running.handler import register
from quarterdeck.tasks.work import messages
from quarterdeck.tasks.work.model import Task
from support.taskyard import TaskYard

STAGES = [
    {"name": "plan", "command": "do say hello\ndo done", "confirm": True},
    {"name": "build", "command": "do say {choice}\ndo done", "choices": ["red", "blue"]},
]


@pytest.fixture
def yard(database_address, tmp_path):
    vault = Vault(LocalBackend(tmp_path / "master.key"))
    database = open_database(database_address, vault=vault)
    vault.unlock(database)
    made = TaskYard(database, SystemClock(), tmp_path)
    yield made
    made.close()
    database.close_sync()


@pytest.fixture
def bench():
    with tempfile.TemporaryDirectory(prefix="qd-run-", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        place = Path(name)
        place.chmod(0o711)
        yield Bench(place)


@contextlib.asynccontextmanager
async def at_work(yard, bench, row):
    """The server's ledger and dispatcher, and one connected worker that runs tasks."""
    handlers = jobs.WorkerHandlers()
    register(handlers, bench.machine)
    service = jobs.Jobs(yard.db, owner="process:test", lines=jobs.into(yard.logs))
    await service.start(None, worker=False)
    words = frozenset(row.capabilities)
    near, far = memory_pair()
    worker = Worker(Offer(row.name, words, slots=2), handlers.find, clock=yard.db.clock, ids=yard.db.ids)
    serving = asyncio.create_task(worker.serve(near))

    async def session():
        with contextlib.suppress(Disconnected):
            await Session(
                service, far, await far.receive(), owner=f"worker:{row.uid}", capabilities=words, worker_id=row.id,
                worker_uid=row.uid, organization_id=row.organization_id,
            ).run()  # fmt: skip

    tasks = [serving, asyncio.create_task(session()), asyncio.create_task(beside(Dispatching(yard.db, service)))]
    try:
        yield
    finally:
        await far.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await service.stop()


async def test_a_task_is_dispatched_asked_about_and_delivered(yard, bench):
    yard.project(agent_type="custom", custom_agent=bench.custom(), pipeline=STAGES)
    row = yard.machine(agents=("custom",)).row

    async def until(condition):
        with yard.db.bus.subscribe("events") as inbox:
            async with asyncio.timeout(60):
                while not condition(task := await yard.db.read(lambda tx: tx.get(Task, task_id))):
                    await inbox.get(timeout=1)
        return task

    async with at_work(yard, bench, row):
        task_id = await asyncio.to_thread(yard.create)
        await until(lambda task: task.suspend_reason == "stage_gate")
        await asyncio.to_thread(yard.act, messages.send, yard.access, task_id, "Mind the tests.")
        await asyncio.to_thread(yard.answer, task_id, index=0, result="confirm")
        await until(lambda task: task.suspend_reason == "stage_gate" and task.current_stage == 1)
        await asyncio.to_thread(yard.answer, task_id, index=1, result="blue")
        task = await until(lambda task: task.finished_at is not None)
    assert (task.status, task.error_message, task.commit_sha) == ("completed", None, "b" * 40)
    assert task.agent_session is not None
    assert [one.status for one in yard.stages(task_id)] == ["completed", "completed"]
    lines = await yard.logs.read(f"task:{task_id}", limit=1000)
    assert any("blue" in one.message and one.stream == "stdout" for one in lines)
    assert any(one.stream == "system" for one in lines)
