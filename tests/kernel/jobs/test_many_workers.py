"""What many workers that mostly have nothing to do may cost: few heartbeats, no claims, few units of work."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import msgspec

from quarterdeck.kernel import jobs
from quarterdeck.kernel.jobs import dispatcher, frames, ledger, session
from quarterdeck.kernel.jobs.grouping import Grouped
from quarterdeck.kernel.jobs.transport import memory_pair
from quarterdeck.kernel.jobs.worker import RESTING_BEATS, Offer, Worker


class Order(msgspec.Struct):
    text: str = ""


async def test_a_worker_that_holds_nothing_beats_now_and_then_and_one_that_works_each_time():
    handlers, going, end = jobs.WorkerHandlers(), asyncio.Event(), asyncio.Event()

    @handlers.register("run.beating", Order)
    async def run(context, order):
        going.set()
        await end.wait()

    near, far = memory_pair()
    serving = asyncio.create_task(Worker(Offer("forge", frozenset(), 1), handlers.find).serve(near))
    loop, every = asyncio.get_running_loop(), 0.1
    assert isinstance(await far.receive(), frames.Hello)
    await far.send(frames.Welcome(worker="forge", heartbeat_seconds=every))

    async def beat():
        while not isinstance(frame := await far.receive(), frames.Heartbeat):
            if isinstance(frame, frames.JobResult):
                await far.send(frames.Ack(ref=frame.id))
        return loop.time(), frame.used_slots

    async with asyncio.timeout(60):
        first, second = await beat(), await beat()
        assert second[0] - first[0] >= every * (RESTING_BEATS - 1)
        about = {"job_id": 1, "uid": "u", "fence": 1, "attempt": 1, "lease_seconds": 60}
        await far.send(frames.JobAssign(kind="run.beating", **about))
        await going.wait()
        busy = [await beat() for _ in range(6)]
        assert {used for _, used in busy} == {1}
        assert min(late[0] - early[0] for early, late in pairwise(busy)) < every * 3
        end.set()
        while (last := await beat())[1]:  # the one after its end says that the place is free
            pass
        assert (await beat())[0] - last[0] >= every * (RESTING_BEATS - 1)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_a_job_for_one_of_many_workers_is_claimed_for_that_one_alone(database, monkeypatch):
    jobs.kinds.register(jobs.JobKind("run.pinned", Order))
    asked, write, far, sessions = [], database.write, {}, []

    async def spied(verb, *given):
        if verb is ledger.claim_for_all:
            asked.append([claimant.worker_id for claimant in given[0]])
        return await write(verb, *given)

    service = jobs.Jobs(database, owner="process:test")
    await service.start(worker=False)
    try:
        for number in range(1, 31):
            server, far[number] = memory_pair()
            made = session.Session(
                service, server, frames.Hello(slots=2), owner=f"worker:{number}", capabilities=frozenset({"deploy"}),
                worker_id=number, organization_id=1,
            )  # fmt: skip
            sessions.append(asyncio.create_task(made.run()))
            assert isinstance(await far[number].receive(), frames.Welcome)
        while len([one for one in service.sessions if one.worker_id]) < 30:
            await asyncio.sleep(0.01)
        monkeypatch.setattr(database, "write", spied)
        pinned = jobs.Enqueue("run.pinned", Order(), 1, capabilities=frozenset({"deploy"}), worker_id=17)
        job = await service.enqueue(pinned)
        async with asyncio.timeout(60):
            while not isinstance(assigned := await far[17].receive(), frames.JobAssign):
                pass
        assert assigned.job_id == job.id
        assert {worker_id for claimants in asked for worker_id in claimants} == {17}
        service.wake()  # nothing waits: nothing is asked of the ledger but that
        before = len(asked)
        await asyncio.sleep(dispatcher.POLL * 1.5)
        assert len(asked) == before
    finally:
        await service.stop()
        await asyncio.gather(*sessions)


async def test_calls_that_wait_for_company_are_one_unit_and_each_has_its_own_answer(database):
    groups = []

    def many(_tx, items):
        groups.append(list(items))
        if 3 in items and len(items) > 1:
            raise ValueError("not with others")
        return [item * 2 for item in items]

    patient = Grouped(database, many, patience=0.2)
    first = asyncio.create_task(patient(1))
    await asyncio.sleep(0)  # it waits already
    assert [await first, *await asyncio.gather(patient(2))] == [2, 4]
    calls = [asyncio.create_task(patient(number)) for number in (3, 4)]
    assert [await call for call in calls] == [6, 8]
    assert groups == [[1], [2], [3, 4], [3], [4]]
