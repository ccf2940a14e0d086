"""A worker whose program has nothing for a kind of job gives it back once, says so on the job, and gets no more."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest
from tests.kernel.jobs.test_ledger import clock, db, put  # noqa: F401 - fixtures and a verb

from quarterdeck.kernel import jobs
from quarterdeck.kernel.jobs import dispatcher, frames, ledger, session
from quarterdeck.kernel.jobs.transport import memory_pair

NEW, OLD = "test.newer", "test.older"
NEEDED = frozenset({"infra"})


class Order(msgspec.Struct):
    pass


@pytest.fixture(autouse=True)
def registered():
    for name in (NEW, OLD):
        jobs.kinds.register(jobs.JobKind(name, Order))


def asked(kind, **options):
    return jobs.Enqueue(kind, Order(), 1, capabilities=NEEDED, **options)


def claimed(db, owner, *unknown):  # noqa: F811
    claimant = jobs.Claimant(owner, NEEDED, ("normal",), 10, 7, organization_id=1, unknown=frozenset(unknown))
    return [one.job.kind for one in db.write_sync(jobs.claim, claimant)]


def test_kinds_that_a_claimant_does_not_know_are_left_to_others(db):  # noqa: F811
    for kind in (NEW, OLD, NEW):
        db.write_sync(jobs.enqueue, asked(kind))
    assert claimed(db, "one", NEW, "test.other") == [OLD]
    assert claimed(db, "one", NEW) == []
    assert claimed(db, "two") == [NEW, NEW]


def test_many_routes_are_asked_without_the_unknown_kinds_as_well(db):  # noqa: F811
    """More than one statement of SQLite can ask for."""
    words = frozenset(f"label-{number}" for number in range(260))
    for word in sorted(words):
        for kind in (NEW, OLD):
            db.write_sync(jobs.enqueue, jobs.Enqueue(kind, Order(), 1, capabilities=NEEDED | {word}))
    claimant = jobs.Claimant("one", NEEDED | words, ("normal",), 1000, 7, organization_id=1, unknown=frozenset({NEW}))
    assert {one.job.kind for one in db.write_sync(jobs.claim, claimant)} == {OLD}


def test_the_job_says_why_it_waits_until_somebody_takes_it(db):  # noqa: F811
    job = db.write_sync(jobs.enqueue, asked(NEW))
    assert claimed(db, "one") == [NEW]
    db.write_sync(jobs.hand_back, job.id, 1, "one", frames.UNKNOWN_KIND)
    waits = db.read_sync(jobs.get, job.id)
    assert (waits.state, waits.error_code, waits.retriable) == ("pending", "worker_lacks_kind", True)
    assert NEW in waits.error_message
    assert "the server's release" in waits.error_message
    assert claimed(db, "two") == [NEW]
    done = db.write_sync(jobs.complete, job.id, 2, jobs.Outcome("succeeded"))
    assert (done.state, done.error_code, done.error_message) == ("succeeded", None, None)


@asynccontextmanager
async def served(database, *workers):
    """A server to which these workers are connected; their ends of the lines."""
    service = jobs.Jobs(database, owner="process:test")
    await service.start(worker=False)
    far, running = {}, []
    try:
        for number in workers:
            server, far[number] = memory_pair()
            made = session.Session(
                service, server, frames.Hello(slots=2), owner=f"worker:{number}", capabilities=NEEDED,
                worker_id=number, organization_id=1,
            )  # fmt: skip
            running.append(asyncio.create_task(made.run()))
            assert isinstance(await far[number].receive(), frames.Welcome)
        while len([one for one in service.sessions if one.worker_id]) < len(workers):
            await asyncio.sleep(0.01)
        yield service, far
    finally:
        await service.stop()
        await asyncio.gather(*running)


async def given(line):
    while not isinstance(frame := await line.receive(), frames.JobAssign):
        pass
    return frame


async def reject(line, assigned):
    await line.send(frames.JobReject(job_id=assigned.job_id, fence=assigned.fence, reason=frames.UNKNOWN_KIND))


async def test_a_job_that_the_only_worker_does_not_know_goes_round_once(database, monkeypatch):
    claims, write = [], database.write

    async def spied(verb, *given_):
        if verb is ledger.claim_for_all:
            claims.append(verb)
        return await write(verb, *given_)

    async with asyncio.timeout(60), served(database, 1) as (service, far):
        job = await service.enqueue(asked(NEW))
        await reject(far[1], await given(far[1]))
        while (await database.read(jobs.get, job.id)).state != "pending":
            await asyncio.sleep(0.01)
        monkeypatch.setattr(database, "write", spied)
        other = await service.enqueue(asked(OLD))
        assert (await given(far[1])).job_id == other.id
        before = len(claims)
        await asyncio.sleep(dispatcher.POLL * 2.5)
        assert len(claims) - before <= 4, "it asks now and then, and not in a loop"
        waits = await database.read(jobs.get, job.id)
        assert (waits.state, waits.attempts, waits.error_code) == ("pending", 1, "worker_lacks_kind")


async def test_a_newer_worker_gets_what_an_older_one_gave_back(database):
    async with asyncio.timeout(60), served(database, 1, 2) as (service, far):
        job = await service.enqueue(asked(NEW, worker_id=None))
        reached = {asyncio.create_task(given(line)): line for line in far.values()}
        (first,), others = await asyncio.wait(reached, return_when=asyncio.FIRST_COMPLETED)
        await reject(reached[first], first.result())
        (second,) = others
        assert (await second).job_id == job.id
        assert (await database.read(jobs.get, job.id)).fence == 2
