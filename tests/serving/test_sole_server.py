"""One server for each PostgreSQL database, and no job of another directory's process taken away."""

from __future__ import annotations

import asyncio
import contextlib
import shutil

import msgspec
import psycopg
import pytest
from sqlalchemy import select

from quarterdeck.access import Access, grants
from quarterdeck.access.model import Grant
from quarterdeck.deploy.observation import observations
from quarterdeck.deploy.observation.observer import ELSEWHERE, Observer
from quarterdeck.deploy.observation.reviving import REVIVE
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.fleet.processes.spec import ProcessSpec
from quarterdeck.instance import Instance
from quarterdeck.kernel import audit, jobs, presence
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.db.sole import SPACE
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.settings_reading import load
from serving.process import serving
from support.databases import fresh_database
from support.deck import running, signed_in
from support.served import SOURCE, deployed, serve

BACKENDS = (
    "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database "
    "WHERE locktype = 'advisory' AND classid = %s AND granted AND datname = current_database()"
)


class Order(msgspec.Struct):
    text: str = ""


class Act(audit.Action):
    DONE = "sole.done"


TICK, TICKS = jobs.Enqueue("sole.tick", Order(), None), jobs.Filter(kind="sole.tick")

pytestmark = pytest.mark.postgresql  # SQLite's database lies in the data directory, which has a lock


@pytest.fixture
def url(postgresql, tmp_path):
    with fresh_database("postgresql", tmp_path, postgresql) as address:
        yield str(address)


def settings(directory, url):
    return load({"data_dir": directory, "database_url": url, "no_edge": True, "log_level": "error"})


@contextlib.asynccontextmanager
async def opened(directory, url):
    instance = await asyncio.to_thread(Instance.open, settings(directory, url))
    try:
        yield instance
    finally:
        await instance.stop()


def with_key(place):
    """What a second directory needs to open the database of the first."""
    shutil.copy(place / "one" / "master.key", place / "two" / "master.key")


def lose(url):
    """End the backend that holds the lock, as a lost network would."""
    with psycopg.connect(url, autocommit=True) as other:
        for (pid,) in other.execute(BACKENDS, [SPACE]).fetchall():
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_second_server_on_the_database_is_refused_and_told_who_has_it(url, tmp_path):
    with serving(tmp_path / "one", database_url=url) as first:
        first.ready()
        with serving(tmp_path / "two", database_url=url) as second:
            assert second.ends(120) == 1
            said = second.said()
            assert "database_in_use" in said
            assert f"process {first.process.pid} on " in said
            assert "--database-url" in said
            assert "Traceback" not in said
        first.process.kill()
        first.process.wait()
        with_key(tmp_path)
        with serving(tmp_path / "two", database_url=url) as second:
            second.ready()


async def test_a_lost_lock_stops_claiming_until_it_is_held_again(url, tmp_path, monkeypatch):
    jobs.kinds.register(jobs.JobKind("sole.work", Order))

    @jobs.worker_handlers.register("sole.work", Order)
    async def work(_context, _order):
        return {}

    monkeypatch.setattr("quarterdeck.kernel.db.sole.LOOK_SECONDS", 0.1)
    other = psycopg.connect(url, autocommit=True, application_name="process 1 on elsewhere")
    async with opened(tmp_path / "data", url) as instance:
        await instance.start()
        assert instance.sole.held
        # It stands in line, so that it has the lock in the moment in which this server loses it.
        waiting = asyncio.create_task(asyncio.to_thread(other.execute, f"SELECT pg_advisory_lock({SPACE}, 0)"))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(lose, url)
        await waiting
        async with asyncio.timeout(10):
            while instance.sole.held or not isinstance(instance.sole.problem, Conflict):
                await asyncio.sleep(0.05)
        job = await instance.jobs.enqueue(jobs.Enqueue("sole.work", Order(), None))
        assert (await instance.jobs.wait(job.id, 1.5)).state == "pending"
        problems = (await instance.health())["problems"]
        assert any("begins no job" in problem and "process 1 on elsewhere" in problem for problem in problems)

        other.close()
        assert (await instance.jobs.wait(job.id, 10)).state == "succeeded"
        assert instance.sole.held
        assert instance.sole.problem is None


async def test_who_lost_the_lock_changes_nothing_and_believes_what_others_change(url, tmp_path, monkeypatch):
    """It stands like one beside: it is not shown as the one that works, however often it says that it is there."""
    monkeypatch.setattr("quarterdeck.kernel.db.sole.LOOK_SECONDS", 0.1)
    monkeypatch.setattr("quarterdeck.kernel.presence.presence.SEEN_SECONDS", 0.1)
    wanted = ("POST", "/api/projects", {"name": "Shop"})
    async with running(tmp_path, url) as deck, asyncio.timeout(120):
        await signed_in(deck)
        instance = deck.instance
        bea = await deck.member("viewer")
        assert (await deck.send("GET", "/api/projects", token=bea)).status_code == 200
        with monkeypatch.context() as cut:
            cut.setattr(instance.sole, "_url", "postgresql://127.0.0.1:9/none")
            await asyncio.to_thread(lose, url)
            await until(lambda: not instance.sole.held)
            refused = await deck.send(*wanted)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "working_server_away")
            assert (await deck.send("GET", "/api/projects")).json()["items"] == []
            elsewhere = open_database(url)  # no wake-up of its changes comes here
            try:
                await elsewhere.write(revoke)
            finally:
                await elsewhere.close()
            assert (await deck.send("GET", "/api/projects", token=bea)).status_code == 403
            assert await working(instance) == []
            (tmp_path / "two").mkdir(mode=0o700)
            shutil.copy(instance.data.master_key, tmp_path / "two" / "master.key")
            with serving(tmp_path / "two", database_url=url) as second:
                await asyncio.to_thread(second.ready)
                cut.undo()
                await until(lambda: isinstance(instance.sole.problem, Conflict) and instance.standing.working)
                for _ in range(10):  # as often as it says that it is there
                    ((name, mine),) = await working(instance)
                    assert f"process {second.process.pid} " in name
                    assert not mine
                    await asyncio.sleep(0.1)
                assert (await deck.send(*wanted)).status_code == 201  # by the other one
        await until(lambda: instance.sole.held)
        assert (await deck.send("POST", "/api/projects", {"name": "Again"})).status_code == 201
        assert len((await deck.send("GET", "/api/projects")).json()["items"]) == 2
        while [mine for _, mine in await working(instance)] != [True]:
            await asyncio.sleep(0.05)
        assert not instance.access.from_elsewhere


async def until(true):
    while not true():
        await asyncio.sleep(0.05)


async def working(instance):
    """Name of each server that is shown to work, and whether it is this one."""
    found = await instance.db.read(presence.there)
    return [(one.name, one.uid == instance.standing.me.uid) for one in found if one.working]


def revoke(tx):
    (grant,) = tx.scalars(select(Grant).where(Grant.role == "organization:viewer"))
    grants.take(tx, Access(), grant.user_id, grant.organization_id, "organization:viewer")


async def test_who_lost_the_lock_rests_and_the_other_leaves_alone_what_runs_on_its_machine(url, tmp_path, monkeypatch):
    """Two directories stand for two machines: in the second nothing of what the first has deployed is found."""
    jobs.kinds.register(jobs.JobKind("sole.tick", Order))
    monkeypatch.setattr("quarterdeck.kernel.db.sole.LOOK_SECONDS", 0.1)
    monkeypatch.setattr("quarterdeck.deploy.observation.observer.PERIOD", 0.1)
    async with running(tmp_path, url) as deck, asyncio.timeout(300):
        await signed_in(deck)
        one, processes = deck.instance, Processes(deck.instance.data.runtime)
        resource = await deck.resource(source=SOURCE)
        ref = await deployed(deck, resource, await deck.server(proxyKind="none"))
        looks = looked_at(one)
        await processes.start(ProcessSpec(ref, ("sleep", "900"), "/"))
        try:
            await serve(deck, ref, {"kind": "process", "instance": ref, "upstream": "127.0.0.1:9"}, edge_port=None)
            await one.db.write(jobs.set_schedule, "sole", jobs.Rhythm(every_seconds=1), TICK)
            while await seen_of(deck, resource) != ("running", None) or not await one.db.read(jobs.count, TICKS):
                await asyncio.sleep(0.05)
            with monkeypatch.context() as cut:
                cut.setattr(one.sole, "_url", "postgresql://127.0.0.1:9/none")
                await asyncio.to_thread(lose, url)
                await until(lambda: not one.sole.held)
                await asyncio.sleep(1)  # what was under way is canceled, or ends
                before = len(looks), await one.db.read(jobs.count, TICKS)
                await one.db.write(audit.record, Act.DONE, resource_type="server", resource_id="srv_1")
                await asyncio.sleep(2.5)  # another tick was due, and many looks
                assert (len(looks), await one.db.read(jobs.count, TICKS)) == before
                assert await one.db.read(waiting_for_a_seal) > 0

                (tmp_path / "two").mkdir(mode=0o700)
                shutil.copy(one.data.master_key, tmp_path / "two" / "master.key")
                other = load({"data_dir": tmp_path / "two", "database_url": url, "no_edge": True, "no_worker": True})
                two = await asyncio.to_thread(Instance.open, other)
                try:
                    theirs = looked_at(two)
                    await two.start()
                    await until(lambda: len(theirs) > 3)
                    assert await seen_of(deck, resource) == (ELSEWHERE.lifecycle, ELSEWHERE.message)
                    assert await one.db.read(jobs.count, jobs.Filter(kind=REVIVE)) == 0
                    while await one.db.read(waiting_for_a_seal) or await one.db.read(jobs.count, TICKS) == before[1]:
                        await asyncio.sleep(0.05)
                    assert len(looks) == before[0]
                    assert processes.status(ref).live
                finally:
                    await two.stop()
            while await seen_of(deck, resource) != ("running", None):
                await asyncio.sleep(0.05)
            assert await one.db.read(jobs.count, jobs.Filter(kind=REVIVE)) == 0
        finally:
            await processes.remove(ref, 0)


def looked_at(instance):
    """Grows with every look of its observer at this machine, which looks as ever."""
    looks = []

    async def look():
        looks.append(None)
        await Observer.look(instance.observer)

    instance.observer.look = look
    return looks


async def seen_of(deck, resource):
    """Lifecycle and message of what was observed last."""

    def read(tx):
        seen = observations.of(tx, tx.first(select(Resource).where(Resource.ref == resource)))
        return (seen.lifecycle, seen.message) if seen is not None else None

    return await deck.instance.db.read(read)


def waiting_for_a_seal(tx):
    return tx.execute("SELECT count(*) FROM audit_unsealed").scalar_one()


async def test_what_another_directory_runs_comes_back_by_its_lease_alone(url, tmp_path):
    jobs.kinds.register(jobs.JobKind("sole.slow", Order))
    async with opened(tmp_path / "one", url) as one:
        owner = one.jobs.owner
        job = await one.jobs.enqueue(jobs.Enqueue("sole.slow", Order(), None))
        claimant = jobs.Claimant(owner, frozenset(), ("normal",), 1)
        assert [given.job.id for given in await one.db.write(jobs.claim, claimant)] == [job.id]
    (tmp_path / "two").mkdir(mode=0o700)
    with_key(tmp_path)
    async with opened(tmp_path / "two", url) as two:
        assert two.jobs.owner != owner
        assert two.uid == one.uid
        await two.start()
        assert (await two.db.read(jobs.get, job.id)).state == "running"
    async with opened(tmp_path / "one", url) as again:
        assert again.jobs.owner == owner
        await again.jobs.start(again, capabilities=frozenset(), slots=0, worker=False)
        assert (await again.db.read(jobs.get, job.id)).state == "pending"
