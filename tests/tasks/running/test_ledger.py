"""An attempt through the ledger and the kernel's own worker, as on a machine."""

from __future__ import annotations

import asyncio

import msgspec
from tests.kernel.jobs.test_running import running
from tests.tasks.running.desk import stage

from quarterdeck.kernel import jobs
from quarterdeck.tasks.orders import RUN, GateAnswer, TaskOrder, TaskResult
from quarterdeck.tasks.running.handler import register

KIND = "run.agent-task"


def known(order, answers=None):
    """A kind with the handler of `task.run`, whose server answers gates with what stands in `answers`."""
    told = []

    def record(tx, job, kind, data):
        told.append((kind, data))
        if kind in ("gate", "gate-check"):
            return msgspec.to_builtins((answers or [GateAnswer(state="open")])[-1])
        return None

    jobs.kinds.register(jobs.JobKind(KIND, TaskOrder, assign=lambda tx, job: order, record=record))
    return told


def room(bench):
    handlers, shared = jobs.WorkerHandlers(), jobs.WorkerHandlers()
    register(shared, bench.machine)
    run = shared.find(RUN)
    assert run is not None

    @handlers.register(KIND, TaskOrder)
    async def again(context, order):
        return await run(context, None)

    return handlers, jobs.ServerHandlers()


def wanted(order):
    return jobs.Enqueue(KIND, order, None, subject="task:42")


async def until(condition):
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_task_is_run_asked_about_and_delivered(database, bench):
    answers = [GateAnswer(state="open")]
    order = bench.order(stage("say hello", "done", confirm=True))
    told = known(order, answers)
    stored = []

    async def lines(stream, batch):
        stored.extend((stream, line.stream, line.message) for line in batch)

    async with running(database, room(bench), lines=lines) as service:
        job = await service.enqueue(wanted(order))
        await until(lambda: told and told[-1][0] == "gate")
        answers.append(GateAnswer(state="answered", result="confirm", by="ada"))
        await service.tell(job.id, "gate", {"index": 0})
        done = await service.wait(job.id, 120)
    assert (done.state, done.error_code) == ("succeeded", None)
    assert msgspec.json.decode(done.result, type=TaskResult).pushed
    assert [kind for kind, _ in told if kind != "messages"] == [
        "workspace", "diff", "gate", "gate-check", "stage", "agent", "stage", "deliver", "diff", "delivered",
    ]  # fmt: skip
    assert ("task:42", "pty", "● hello") in stored
    assert ("task:42", "system", "Stage develop is done.") in stored


async def test_a_task_fails_with_the_word_of_its_class(database, bench):
    order = bench.order(stage("exit 9"))
    known(order)
    async with running(database, room(bench)) as service:
        job = await service.enqueue(wanted(order))
        done = await service.wait(job.id, 120)
    assert (done.state, done.error_code) == ("failed", "agent_exited")


async def test_a_cancelled_task_ends_within_the_ledgers_grace(database, bench):
    order = bench.order(stage("stubborn", "hang"))
    known(order)
    async with running(database, room(bench)) as service:
        job = await service.enqueue(wanted(order))
        await until(lambda: bench.told("prompt"))
        await database.write(jobs.cancel, job.id, "not needed")
        done = await service.wait(job.id, 120)
    assert done.state == "canceled"
    assert list(bench.machine.records.glob("*.json")) == []
    assert bench.folder.left == 1
