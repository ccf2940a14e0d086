"""Kinds whose lost attempts are not run again: how they end, who hears of it, and what comes late."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.kernel.jobs.test_ledger import clock, db, put, take  # noqa: F401 - fixtures and verbs
from tests.kernel.jobs.test_running import Order, request, room, running  # noqa: F401

from quarterdeck.kernel import jobs
from quarterdeck.kernel.jobs import frames, recovery, session
from quarterdeck.kernel.jobs import worker as looping
from quarterdeck.kernel.jobs.transport import Disconnected, MemoryTransport, memory_pair
from quarterdeck.kernel.jobs.worker import Offer, Worker

KIND = "test.lost-fails"


def found(db, job):  # noqa: F811
    return db.read_sync(jobs.get, job.id)


@pytest.fixture
def heard():
    told = {"finished": [], "late": []}
    jobs.kinds.register(
        jobs.JobKind(
            KIND,
            lost="failed",
            finish=lambda tx, job, outcome: told["finished"].append((outcome.state, outcome.error_code)),
            late=lambda tx, job, outcome: told["late"].append(outcome.state),
        )
    )
    return told


def test_a_lapsed_attempt_fails_its_job(db, clock, heard):  # noqa: F811
    job = put(db, KIND)
    (_claimed,) = take(db)
    clock.advance(31)
    assert db.write_sync(jobs.requeue_lapsed) == 1
    after = found(db, job)
    assert (after.state, after.error_code, after.closed_by) == ("failed", recovery.WORKER_LOST, "lost")
    assert heard["finished"] == [("failed", recovery.WORKER_LOST)]
    assert take(db) == []


def test_a_lease_of_its_own_is_kept(db, clock, heard):  # noqa: F811
    job = put(db, KIND, lease_seconds=100)
    take(db)
    clock.advance(99)
    assert db.write_sync(jobs.requeue_lapsed) == 0
    clock.advance(2)
    assert db.write_sync(jobs.requeue_lapsed) == 1
    assert found(db, job).state == "failed"


def test_what_is_given_back_fails_and_names_the_reason(db, heard):  # noqa: F811
    job = put(db, KIND)
    (claimed,) = take(db)
    db.write_sync(jobs.hand_back, claimed.id, claimed.fence, "one", "no_slot")
    after = found(db, job)
    assert (after.state, after.error_code) == ("failed", "job_returned")
    assert "no_slot" in after.error_message


def test_an_attempt_that_is_given_up_is_lost_to_its_worker_and_heard_late(db, heard):  # noqa: F811
    job = put(db, KIND)
    (claimed,) = take(db)
    assert db.write_sync(jobs.give_up, job.id, "worker_lost", "It was silent for ten minutes.")
    assert not db.write_sync(jobs.give_up, job.id, "worker_lost", "Again.")
    lost, _ = db.write_sync(jobs.heartbeat, [(claimed.id, claimed.fence)], "one")
    assert lost == {job.id}
    report = jobs.Report(claimed.id, claimed.fence, jobs.Outcome("succeeded"), owner="one")
    for _ in range(2):
        assert db.write_sync(jobs.complete_many, [report])[0] is not None
    assert heard == {"finished": [("failed", "worker_lost")], "late": ["succeeded", "succeeded"]}
    assert found(db, job).state == "failed", "the ledger's own history stands"


def test_a_stranger_and_an_older_attempt_are_not_heard_late(db, heard):  # noqa: F811
    job = put(db, KIND)
    (claimed,) = take(db)
    db.write_sync(jobs.give_up, job.id, "worker_lost", "It was silent.")
    for fence, owner in ((claimed.fence, "two"), (claimed.fence - 1, "one")):
        report = jobs.Report(claimed.id, fence, jobs.Outcome("succeeded"), owner=owner)
        assert db.write_sync(jobs.complete_many, [report]) == [None]
    assert heard["late"] == []


def test_a_kind_that_nobody_hears_late_refuses_what_comes_late(db):  # noqa: F811
    jobs.kinds.register(jobs.JobKind("test.lost-deaf", lost="failed"))
    job = put(db, "test.lost-deaf")
    (_claimed,) = take(db)
    db.write_sync(jobs.give_up, job.id, "worker_lost", "It was silent.")
    assert found(db, job).closed_by is None


async def test_the_server_speaks_to_the_attempt_that_runs_and_to_no_other(database, room):  # noqa: F811
    jobs.kinds.register(jobs.JobKind("test.told", Order))

    @room[0].register("test.told", Order)
    async def run(context, order):
        await context.record("listening", {})
        kind, data = await context.told.get()
        return {"kind": kind, "data": data}

    async with running(database, room) as service:
        job = await service.enqueue(request("test.told"))
        other = await service.enqueue(request("test.told"))
        while not (await database.read(jobs.get, job.id)).report_number:
            await service.wait(job.id, 0.05)
        await service.tell(job.id, "gate", {"answer": "yes"})
        done = await service.wait(job.id, 10)
        assert msgspec.json.decode(done.result) == {"kind": "gate", "data": {"answer": "yes"}}
        assert (await database.read(jobs.get, other.id)).state == "running"
        await service.tell(other.id, "gate", {})
        assert (await service.wait(other.id, 10)).state == "succeeded"
        await service.tell(job.id, "gate", {})


class Talk:
    """The server's end of a worker's connection, spoken by hand."""

    def __init__(self, worker):
        near, self.far = memory_pair()
        self.serving = asyncio.create_task(worker.serve(near))

    async def hear(self, kind):
        async with asyncio.timeout(10):
            while True:
                frame = await self.far.receive()
                if isinstance(frame, kind):
                    return frame

    async def cut(self):
        await self.far.close()
        await asyncio.gather(self.serving, return_exceptions=True)


async def test_an_end_that_was_not_acknowledged_is_told_though_the_attempt_was_given_up_meanwhile():
    handlers = jobs.WorkerHandlers()

    @handlers.register("lost.late", Order)
    async def run(context, order):
        return {"done": True}

    worker = Worker(Offer("forge", frozenset(), 1), handlers.find)
    first = Talk(worker)
    await first.hear(frames.Hello)
    await first.far.send(frames.Welcome(worker="forge", heartbeat_seconds=60))
    await first.far.send(frames.JobAssign(job_id=1, uid="u", kind="lost.late", fence=1, attempt=1, lease_seconds=100))
    await first.hear(frames.JobResult)
    await first.cut()
    second = Talk(worker)
    hello = await second.hear(frames.Hello)
    assert [(one.job_id, one.fence) for one in hello.jobs] == [(1, 1)]
    await second.far.send(frames.Welcome(worker="forge", heartbeat_seconds=60, lost=hello.jobs))
    assert (await second.hear(frames.JobResult)).outcome.state == "succeeded"
    await second.cut()


async def test_a_server_that_says_no_welcome_is_left(monkeypatch):
    monkeypatch.setattr(looping, "WELCOME", 0.05)
    talk = Talk(Worker(Offer("forge", frozenset(), 1), jobs.WorkerHandlers().find))
    await talk.hear(frames.Hello)
    with pytest.raises(Disconnected, match="no welcome"):
        await asyncio.wait_for(talk.serving, 10)
    with pytest.raises(Disconnected):
        await talk.far.receive()


async def test_the_place_of_an_attempt_that_was_given_up_is_free_again(database):
    jobs.kinds.register(jobs.JobKind("lost.place", Order, lost="failed", record=lambda tx, job, kind, data: None))
    handlers, go = jobs.WorkerHandlers(), asyncio.Event()

    @handlers.register("lost.place", Order)
    async def run(context, order):
        await go.wait()
        await context.record("x", {})

    service = jobs.Jobs(database, owner="process:test", on_worker=handlers)
    service.heartbeat_seconds = 60  # no sign of life tells it
    await service.start()
    try:
        job = await service.enqueue(jobs.Enqueue("lost.place", Order(), None))
        async with asyncio.timeout(20):
            while not (own := [one for one in service.sessions if one.holds(job.id)]):
                await asyncio.sleep(0.02)
            await database.write(jobs.give_up, job.id, "gone", "It was given up.")
            go.set()
            while own[0].holds(job.id):
                await asyncio.sleep(0.02)
    finally:
        await service.stop()


async def test_a_worker_that_does_not_read_holds_up_nobody_else(database, monkeypatch):
    monkeypatch.setattr(session, "PUSH", 0.3)
    jobs.kinds.register(jobs.JobKind("lost.stuck", Order, capabilities=frozenset({"far"})))
    jobs.kinds.register(jobs.JobKind("lost.quick", Order))
    handlers = jobs.WorkerHandlers()

    @handlers.register("lost.quick", Order)
    async def run(context, order):
        return None

    class Stuck(MemoryTransport):
        """Reads nothing more once it was given its job."""

        stuck = False

        async def send(self, frame):
            if self.stuck:
                await asyncio.Event().wait()
            self.stuck = isinstance(frame, frames.JobAssign)

    service = jobs.Jobs(database, owner="process:test", on_worker=handlers)
    await service.start()
    hello = frames.Hello(name="far", slots=1, housekeeping_slots=0, capabilities=["far"])
    far = session.Session(service, Stuck(), hello, owner="worker:far", capabilities=frozenset({"far"}))
    listening = asyncio.create_task(far.run())
    try:
        held = await service.enqueue(jobs.Enqueue("lost.stuck", Order(), None))
        async with asyncio.timeout(20):
            while not far.holds(held.id):
                await asyncio.sleep(0.02)
            await database.write(jobs.cancel, held.id, "stop")
            quick = await service.enqueue(jobs.Enqueue("lost.quick", Order(), None))
            assert (await service.wait(quick.id, 15)).state == "succeeded"
            await listening
    finally:
        await service.stop()


@pytest.fixture
def judged():
    """A kind whose fate a rule decides for each attempt, and which hears what goes back into the queue."""
    told = {"fate": "again", "returned": [], "fails": False}

    def returned(tx, job):
        if told["fails"]:
            raise RuntimeError("defect")
        told["returned"].append((job.id, job.fence, job.owner))

    jobs.kinds.register(jobs.JobKind(KIND, lost=lambda tx, job: told["fate"], returned=returned))
    return told


def test_a_rule_decides_what_becomes_of_a_lost_attempt(db, clock, judged):  # noqa: F811
    job = put(db, KIND)
    (first,) = take(db)
    clock.advance(31)
    db.write_sync(jobs.requeue_lapsed)
    assert (found(db, job).state, judged["returned"]) == ("pending", [(job.id, first.fence, first.owner)])
    (second,) = take(db)
    db.write_sync(jobs.hand_back, job.id, second.fence, "one", "no_slot")
    assert (found(db, job).state, len(judged["returned"])) == ("pending", 2)
    take(db)
    judged["fate"] = "failed"
    clock.advance(31)
    db.write_sync(jobs.requeue_lapsed)
    assert (found(db, job).state, len(judged["returned"])) == ("failed", 2)


def test_a_rule_that_fails_keeps_no_job_from_its_queue(db, clock, judged):  # noqa: F811
    job, other = put(db, KIND), put(db, KIND)
    take(db)
    judged["fails"] = True
    clock.advance(31)
    assert db.write_sync(jobs.requeue_lapsed) == 2
    assert {found(db, one).state for one in (job, other)} == {"pending"}


def test_an_attempt_is_taken_back_whatever_its_lease_says(db, judged):  # noqa: F811
    job = put(db, KIND)
    assert db.write_sync(jobs.take_back, job.id) is False
    (claimed,) = take(db)
    assert db.write_sync(jobs.take_back, job.id) is True
    after = found(db, job)
    assert (after.state, after.lapses) == ("pending", 1)
    lost, _ = db.write_sync(jobs.heartbeat, [(job.id, claimed.fence)])
    assert lost == {job.id}
