"""Kinds whose lost attempts are not run again: how they end, who hears of it, and what comes late."""

from __future__ import annotations

import msgspec
import pytest
from tests.kernel.jobs.test_ledger import clock, db, put, take  # noqa: F401 - fixtures and verbs
from tests.kernel.jobs.test_running import Order, request, room, running  # noqa: F401

from quarterdeck.kernel import jobs
from quarterdeck.kernel.jobs import recovery

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
