"""A job through the ledger and the kernel's own worker, as on a runner."""

from __future__ import annotations

import asyncio

import msgspec
from tests.infra.execution.test_interrupting import SLOW
from tests.infra.execution.workbench import FULL, MINIMAL, processes_in
from tests.kernel.jobs.test_running import running

from quarterdeck.infra.execution.handler import register
from quarterdeck.infra.execution.orders import RUN, InfraOrder
from quarterdeck.kernel import jobs

KIND = "run.infra"


def known(order):
    """A kind with the handler of `infra.run`; answers what is reported."""
    told = []

    def record(tx, job, kind, data):
        told.append((kind, data))

    jobs.kinds.register(jobs.JobKind(KIND, InfraOrder, assign=lambda tx, job: order, record=record))
    return told


def room(bench):
    handlers, shared = jobs.WorkerHandlers(), jobs.WorkerHandlers()
    register(shared, bench.machine)
    run = shared.find(RUN)
    assert run is not None

    @handlers.register(KIND, InfraOrder)
    async def again(context, order):
        return await run(context, None)

    return handlers, jobs.ServerHandlers()


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_plan_goes_through_the_ledger_with_its_reports_and_lines(database, bench, server):
    order = bench.order("PLAN", FULL)
    told, stored = known(order), []

    async def lines(stream, batch):
        stored.extend((stream, line.stream, line.phase, line.message) for line in batch)

    async with running(database, room(bench), lines=lines) as service:
        job = await service.enqueue(jobs.Enqueue(KIND, order, None, subject="infra-job:one"))
        done = await service.wait(job.id, 60)
    assert (done.state, done.error_code) == ("succeeded", None)
    assert msgspec.json.decode(done.result)["plan"]["create"] == 16
    assert [kind for kind, _ in told] == ["phase", "phase", "phase", "phase", "plan"]
    assert ("infra-job:one", "stdout", "plan", "Plan: 16 to add, 0 to change, 0 to destroy.") in stored
    assert ("infra-job:one", "system", "init", "Initializing the module.") in stored


async def test_a_failure_has_its_code_and_its_way_out(database, bench, server):
    server.lock = {"ID": "other", "Operation": "apply"}
    order = bench.order("PLAN", MINIMAL)
    known(order)
    async with running(database, room(bench)) as service:
        job = await service.enqueue(jobs.Enqueue(KIND, order, None))
        done = await service.wait(job.id, 60)
    assert (done.state, done.error_code) == ("failed", "infra_state_locked")
    assert "\n" in done.error_message


async def test_an_apply_that_is_cancelled_in_the_ledger_gives_its_lock_back(database, bench, server, forge):
    order = bench.order("DEPLOY", MINIMAL, module=forge.module({"main.tf": SLOW}))
    told, said = known(order), []

    async def lines(stream, batch):
        said.extend(line.message for line in batch)

    async with running(database, room(bench), lines=lines) as service:
        job = await service.enqueue(jobs.Enqueue(KIND, order, None))
        await until(lambda: any("begun" in line for line in said))
        await database.write(jobs.cancel, job.id, "not wanted")
        done = await service.wait(job.id, 60)
        await until(lambda: any("Something may have been made" in line for line in said))
    assert done.state == "canceled"
    assert told[-1] == ("phase", {"phase": "apply", "progress": told[-1][1]["progress"]}), "the server knows how far"
    assert server.lock is None
    assert "terraform_data.first" in server.resources()
    assert processes_in(bench.directory) == []
