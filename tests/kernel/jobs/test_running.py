"""What the ledger, its dispatcher and the in-process worker promise together."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager
from types import SimpleNamespace

import msgspec
import psycopg
import pytest

from quarterdeck.infra.composition import Infrastructure
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import DatabaseUnavailable, postgresql, sqlite
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.events import jobs as delivery
from quarterdeck.kernel.jobs import dispatcher, frames, recovery, session
from quarterdeck.kernel.jobs.transport import Disconnected, MemoryTransport


class Order(msgspec.Struct):
    text: str = ""


@pytest.fixture
def room():
    """Handlers of this test alone."""
    return jobs.WorkerHandlers(), jobs.ServerHandlers()


@asynccontextmanager
async def running(database, room, *, owner="process:test", lines=None, **options):
    more = {} if lines is None else {"lines": lines}
    service = jobs.Jobs(database, owner=owner, on_worker=room[0], on_server=room[1], **more)
    await service.start({"name": "the instance"}, **options)
    try:
        yield service
    finally:
        await service.stop()


def request(kind, text="", **options):
    return jobs.Enqueue(kind, Order(text), None, **options)


async def test_a_job_runs_from_end_to_end(database, room):
    told, finished = [], []
    jobs.kinds.register(
        jobs.JobKind(
            "run.end-to-end",
            Order,
            assign=lambda tx, job: Order(job.read(Order).text + " with a secret"),
            record=lambda tx, job, kind, data: told.append((kind, data)) or {"kept": len(told)},
            finish=lambda tx, job, outcome: finished.append((outcome.state, outcome.result)),
        )
    )

    @room[0].register("run.end-to-end", Order)
    async def run(context, order):
        answer = await context.record("phase", {"name": "detect"})
        return {"order": order.text, "kept": answer["kept"]}

    async with running(database, room) as service:
        job = await service.enqueue(request("run.end-to-end", "work"))
        done = await service.wait(job.id, 60)
    assert done.state == "succeeded"
    assert msgspec.json.decode(done.result) == {"order": "work with a secret", "kept": 1}
    assert told == [("phase", {"name": "detect"})]
    assert [state for state, _ in finished] == ["succeeded"]
    assert "secret" not in done.payload


async def test_places_of_a_capability_are_for_its_parts_too(database, room):
    jobs.kinds.register(jobs.JobKind("run.apart", Order))

    @room[0].register("run.apart", Order)
    async def run(context, order):
        return {"done": order.text}

    async with running(database, room, apart=Infrastructure.apart) as service:
        asked = request("run.apart", "look", capabilities=frozenset({"infra", "infra:drift", "~infra:drift"}))
        done = await service.wait((await service.enqueue(asked)).id, 60)
    assert (done.state, done.owner) == ("succeeded", "process:test/infra")


async def test_a_problem_fails_the_job_with_its_code_and_hint(database, room):
    jobs.kinds.register(jobs.JobKind("run.problem", Order))

    @room[0].register("run.problem", Order)
    async def run(context, order):
        raise Unavailable("The engine does not answer.", code="engine_unavailable", hint="Start it.")

    async with running(database, room) as service:
        job = await service.enqueue(request("run.problem"))
        done = await service.wait(job.id, 60)
    assert (done.state, done.error_code) == ("failed", "engine_unavailable")
    assert done.error_message == "The engine does not answer.\nStart it."
    assert done.retriable


async def test_a_crash_fails_the_job_without_leaking(database, room):
    jobs.kinds.register(jobs.JobKind("run.crash", Order))

    @room[0].register("run.crash", Order)
    async def run(context, order):
        raise ValueError("hunter2")

    async with running(database, room) as service:
        job = await service.enqueue(request("run.crash"))
        done = await service.wait(job.id, 60)
    assert (done.state, done.error_code) == ("failed", "internal_error")
    assert "hunter2" not in done.error_message


async def test_a_canceled_job_stops_and_may_undo_first(database, room):
    jobs.kinds.register(jobs.JobKind("run.cancel", Order))
    started, undone = asyncio.Event(), []

    @room[0].register("run.cancel", Order)
    async def run(context, order):
        started.set()
        try:
            await context.sleep(60)
        except jobs.Canceled:
            undone.append(True)
            with pytest.raises(jobs.Canceled):
                await context.record("late", {})
            raise

    async with running(database, room) as service:
        job = await service.enqueue(request("run.cancel"))
        await asyncio.wait_for(started.wait(), 60)
        await database.write(jobs.cancel, job.id, "superseded")
        done = await service.wait(job.id, 60)
    assert (done.state, done.cancel_reason, undone) == ("canceled", "superseded", [True])


async def test_output_is_in_the_store_soon_and_in_order(database, room):
    jobs.kinds.register(jobs.JobKind("run.log", Order))
    stored = []
    logged = asyncio.Event()

    async def lines(stream, batch):
        stored.extend((stream, line.message) for line in batch)
        logged.set()

    @room[0].register("run.log", Order)
    async def run(context, order):
        context.log(["one", "two"], phase="package")
        await asyncio.wait_for(logged.wait(), 0.2)
        context.log(["three"])

    async with running(database, room, lines=lines) as service:
        job = await service.enqueue(request("run.log", subject="deployment:dep_1"))
        done = await service.wait(job.id, 60)
        assert done.state == "succeeded"
        await asyncio.sleep(0.05)
    assert stored == [("deployment:dep_1", text) for text in ("one", "two", "three")]


async def test_the_servers_own_jobs_get_its_instance_in_a_lane_of_their_own(database, room):
    seen = []

    @room[1].register("run.housekeeping")
    async def run(context, instance):
        seen.append(instance["name"])

    jobs.kinds.register(jobs.JobKind("run.block", Order))
    released = asyncio.Event()

    @room[0].register("run.block", Order)
    async def block(context, order):
        await released.wait()

    async with running(database, room, slots=1) as service:
        blocking = [await service.enqueue(request("run.block")) for _ in range(3)]
        chore = await service.enqueue(jobs.Enqueue("run.housekeeping", {}, None))
        assert chore.lane == "housekeeping"
        assert (await service.wait(chore.id, 10)).state == "succeeded"
        released.set()
        for job in blocking:
            assert (await service.wait(job.id, 60)).state == "succeeded"
    assert seen == ["the instance"]


async def test_the_servers_own_work_does_not_wait_behind_long_builds(database, room):
    jobs.kinds.register(jobs.JobKind("run.build", Order))
    jobs.kinds.register(jobs.JobKind("run.mail", capabilities=frozenset({jobs.SERVER})))
    released = asyncio.Event()

    @room[0].register("run.build", Order)
    async def build(context, order):
        await released.wait()

    @room[1].register("run.mail")
    async def mail(context, instance):
        return None

    async with running(database, room, capabilities=frozenset({"deploy"}), slots=2) as service:
        builds = [await service.enqueue(request("run.build", capabilities=frozenset({"deploy"}))) for _ in range(4)]
        first = await service.enqueue(jobs.Enqueue("run.mail", {}, None))
        assert first.lane == "normal"
        assert (await service.wait(first.id, 5)).state == "succeeded"
        states = [(await database.read(jobs.get, one.id)).state for one in builds]
        assert states.count("running") <= 2
        released.set()
        for one in builds:
            assert (await service.wait(one.id, 10)).state == "succeeded"


async def test_events_are_delivered_while_housekeeping_takes_all_of_its_places(database, room):
    going, released = asyncio.Semaphore(0), asyncio.Event()

    @room[1].register("run.long-look")
    async def look(context, instance):
        going.release()
        await released.wait()

    room[1].register(delivery.KIND)(delivery.run)
    async with running(database, room) as service:
        service._workers[1]._instance = SimpleNamespace(db=database)
        looks = [await service.enqueue(jobs.Enqueue("run.long-look", {}, None)) for _ in range(4)]
        async with asyncio.timeout(60):
            await going.acquire()
            await going.acquire()
        told = await service.enqueue(jobs.Enqueue(delivery.KIND, {}, None))
        assert (await service.wait(told.id, 60)).state == "succeeded"
        states = [(await database.read(jobs.get, one.id)).state for one in looks]
        assert sorted(states) == ["pending", "pending", "running", "running"], "none took the place that is kept"
        released.set()
        for one in looks:
            assert (await service.wait(one.id, 60)).state == "succeeded"


async def test_chores_that_fail_keep_nothing_from_being_claimed(database, room, monkeypatch):
    jobs.kinds.register(jobs.JobKind("run.all-the-same", Order))

    @room[0].register("run.all-the-same", Order)
    async def run(context, order):
        return None

    tried = asyncio.Event()

    async def refuse(_self):
        tried.set()
        raise LookupError

    monkeypatch.setattr(dispatcher.Dispatcher, "_chores", refuse)
    async with running(database, room) as service:
        await asyncio.wait_for(tried.wait(), 60)
        job = await service.enqueue(request("run.all-the-same"))
        assert (await service.wait(job.id, 60)).state == "succeeded"


def test_a_chore_that_fails_undoes_nothing_of_the_others(database, monkeypatch):
    jobs.kinds.register(jobs.JobKind("run.lapses", Order))
    job = database.write_sync(jobs.enqueue, request("run.lapses", lease_seconds=1))
    database.write_sync(jobs.claim, jobs.Claimant("worker:gone", frozenset(), ("normal",), 1))
    database.write_sync(lambda tx: tx.execute("UPDATE jobs SET lease_until = 1"))

    def refuse(tx):
        tx.execute("UPDATE jobs SET subject = 'half done'")
        raise LookupError

    monkeypatch.setattr(dispatcher, "CHORES", (recovery.requeue_lapsed, refuse))
    assert database.write_sync(dispatcher.chores) == 1
    again = database.read_sync(jobs.get, job.id)
    assert (again.state, again.lapses, again.subject) == ("pending", 1, None)


async def test_each_of_the_servers_workers_takes_up_its_own_work_alone(database, room):
    """The one comes back while the other goes on with what it runs."""
    jobs.kinds.register(jobs.JobKind("run.goes-on", Order))
    released, runs = asyncio.Event(), []

    @room[0].register("run.goes-on", Order)
    async def run(context, order):
        runs.append(context.job.fence)
        await released.wait()

    async with running(database, room) as service:
        job = await service.enqueue(request("run.goes-on"))
        async with asyncio.timeout(60):
            while not runs or len(service.sessions) < 3:
                await asyncio.sleep(0.01)
        own = next(one for one in service.sessions if not one.holds(job.id))
        await own.close(1000)
        async with asyncio.timeout(60):
            while own in service.sessions or len(service.sessions) < 3:
                await asyncio.sleep(0.01)
        released.set()
        done = await service.wait(job.id, 60)
    assert (done.state, runs) == ("succeeded", [1])


async def test_a_stopping_server_hands_its_jobs_back(database, room):
    jobs.kinds.register(jobs.JobKind("run.handback", Order))
    started, runs = asyncio.Event(), []

    @room[0].register("run.handback", Order)
    async def run(context, order):
        runs.append(context.job.fence)
        started.set()
        if len(runs) == 1:
            await context.sleep(60)

    async with running(database, room) as service:
        job = await service.enqueue(request("run.handback"))
        await asyncio.wait_for(started.wait(), 60)
    waiting = await database.read(jobs.get, job.id)
    assert (waiting.state, waiting.lapses) == ("pending", 0)
    async with running(database, room) as service:
        assert (await service.wait(job.id, 60)).state == "succeeded"
    assert runs == [1, 2]


async def test_what_a_killed_process_held_starts_again_at_once(database, room):
    jobs.kinds.register(jobs.JobKind("run.killed", Order))

    @room[0].register("run.killed", Order)
    async def run(context, order):
        return {"fence": context.job.fence}

    job = await database.write(jobs.enqueue, request("run.killed"))
    claimant = jobs.Claimant("process:test", frozenset(), ("normal",), 1)
    await database.write(jobs.claim, claimant)
    async with running(database, room) as service:
        done = await service.wait(job.id, 60)
    assert msgspec.json.decode(done.result) == {"fence": 2}


async def test_a_rule_that_fails_at_the_end_leaves_a_failed_job_and_spares_its_neighbours(database, room):
    def refuse(tx, job, outcome):
        raise RuntimeError("a bug")

    jobs.kinds.register(jobs.JobKind("run.bad-finish", Order, finish=refuse))
    jobs.kinds.register(jobs.JobKind("run.good-finish", Order))
    for kind in ("run.bad-finish", "run.good-finish"):

        @room[0].register(kind, Order)
        async def run(context, order):
            return None

    async with running(database, room, slots=8) as service:
        bad = await service.enqueue(request("run.bad-finish", concurrency_key="k"))
        behind = await service.enqueue(request("run.good-finish", concurrency_key="k"))
        good = await asyncio.gather(*(service.enqueue(request("run.good-finish")) for _ in range(10)))
        ended = [await service.wait(job.id, 60) for job in (bad, behind, *good)]
    assert (ended[0].state, ended[0].error_code) == ("failed", "job_finish_failed")
    assert {job.state for job in ended[1:]} == {"succeeded"}


async def test_a_worker_that_cannot_renew_its_lease_stops_the_job_before_it_ends(database, room):
    jobs.kinds.register(jobs.JobKind("run.lease", Order, lease_seconds=1))
    stopped = asyncio.Event()

    @room[0].register("run.lease", Order)
    async def run(context, order):
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    async with running(database, room) as service:
        await service.enqueue(request("run.lease"))  # heartbeats are further apart than this lease is long
        await asyncio.wait_for(stopped.wait(), 0.99)


async def test_work_that_was_carried_to_its_end_is_not_handed_back_by_a_stop(database, room):
    jobs.kinds.register(jobs.JobKind("run.to-its-end", Order))
    started, runs = asyncio.Event(), []

    @room[0].register("run.to-its-end", Order)
    async def run(context, order):
        runs.append(context.job.fence)
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            asyncio.current_task().uncancel()
        return {"done": True}

    async with running(database, room) as service:
        job = await service.enqueue(request("run.to-its-end"))
        await asyncio.wait_for(started.wait(), 60)
    assert (await database.read(jobs.get, job.id)).state == "succeeded"
    assert runs == [1]


async def test_a_stop_waits_for_what_has_said_to_need_time_and_interrupts_it_once(database, room):
    jobs.kinds.register(jobs.JobKind("run.slow-end", Order))
    started, interrupted = asyncio.Event(), []

    @room[0].register("run.slow-end", Order)
    async def run(context, order):
        context.stop_seconds = 30.0
        started.set()
        for seconds in (60, 0.5):  # what it has begun outside ends in half a second
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                interrupted.append(order.text)
                asyncio.current_task().uncancel()
        await context.record("told", {})
        return {"done": True}

    service = jobs.Jobs(database, owner="process:test", on_worker=room[0], on_server=room[1])
    await service.start()
    job = await service.enqueue(request("run.slow-end"))
    await asyncio.wait_for(started.wait(), 60)
    assert service.stop_seconds == 30.0
    await service.stop(0.1)
    assert (await database.read(jobs.get, job.id)).state == "succeeded"
    assert interrupted == [""]
    assert service.stop_seconds == 0.0


async def test_a_stop_does_not_interrupt_again_what_ends_because_it_was_canceled(database, room):
    jobs.kinds.register(jobs.JobKind("run.slow-cancel", Order))
    started, ending, interrupted = asyncio.Event(), asyncio.Event(), []

    @room[0].register("run.slow-cancel", Order)
    async def run(context, order):
        context.stop_seconds = 30.0
        started.set()
        await context.canceled.wait()
        ending.set()
        try:
            await asyncio.sleep(0.5)
        except asyncio.CancelledError:
            interrupted.append(True)
            raise
        raise jobs.Canceled("It was canceled.")

    async with running(database, room) as service:
        job = await service.enqueue(request("run.slow-cancel"))
        await asyncio.wait_for(started.wait(), 60)
        await database.write(jobs.cancel, job.id, "superseded")
        await asyncio.wait_for(ending.wait(), 60)
        await service.stop(0.1)
    assert (await database.read(jobs.get, job.id)).state == "canceled"
    assert interrupted == []


@pytest.mark.parametrize("said", ["report", "result"])
async def test_a_commit_that_fails_changes_no_outcome(database, room, monkeypatch, said):
    """By the driver's own failure: a full disk, a server that is away. Whoever reports says it again."""
    full, ended = [], []
    sort = psycopg.OperationalError if database.dialect == "postgresql" else sqlite3.OperationalError

    def point(name):
        if name == "commit.before" and full:
            full.pop()
            raise sort("database or disk is full")

    monkeypatch.setattr(postgresql if database.dialect == "postgresql" else sqlite, "point", point)
    jobs.kinds.register(
        jobs.JobKind(
            "run.full", Order, record=lambda tx, job, kind, data: {"kept": True},
            finish=lambda tx, job, outcome: ended.append(outcome.state),
        )
    )  # fmt: skip

    @room[0].register("run.full", Order)
    async def run(context, order):
        full.append(1)
        return await context.record("phase", {}) if said == "report" else {"kept": True}

    async with running(database, room) as service:
        job = await service.enqueue(request("run.full"))
        done = await service.wait(job.id, 30)
    assert (done.state, done.error_code, set(ended), full) == ("succeeded", None, {"succeeded"}, [])
    assert msgspec.json.decode(done.result) == {"kept": True}


async def test_a_database_that_fails_for_a_moment_loses_neither_the_worker_nor_a_result(database, room):
    failures = []

    def away(tx, job, outcome):
        if len(failures) < 2:
            failures.append(outcome.state)
            raise DatabaseUnavailable("The disk is full.")

    jobs.kinds.register(jobs.JobKind("run.disk-full", Order, finish=away))

    @room[0].register("run.disk-full", Order)
    async def run(context, order):
        return {"kept": True}

    async with running(database, room) as service:
        write, taken = database.write, []

        async def full_at_the_next_start(verb, *args, **kwargs):
            if verb.__name__ == "_take_up" and not taken:
                taken.append(verb)
                raise DatabaseUnavailable("The disk is full.")
            return await write(verb, *args, **kwargs)

        database.write = full_at_the_next_start
        try:
            job = await service.enqueue(request("run.disk-full"))
            done = await service.wait(job.id, 60)
        finally:
            del database.write
    assert (done.state, done.error_code) == ("succeeded", None)
    assert failures == ["succeeded", "succeeded"]
    assert taken


async def test_a_report_that_breaks_a_rule_fails_its_job_and_no_connection(database, room):
    def broken(tx, job, kind, data):
        raise RuntimeError("a bug")

    jobs.kinds.register(jobs.JobKind("run.bad-record", Order, record=broken))
    jobs.kinds.register(jobs.JobKind("run.beside", Order))
    going = asyncio.Event()

    @room[0].register("run.bad-record", Order)
    async def report(context, order):
        await context.record("phase", {})

    @room[0].register("run.beside", Order)
    async def beside(context, order):
        await going.wait()

    async with running(database, room) as service:
        other = await service.enqueue(request("run.beside"))
        while len(service.sessions) < 3:
            await asyncio.sleep(0.01)
        session = service.sessions
        job = await service.enqueue(request("run.bad-record"))
        done = await service.wait(job.id, 60)
        assert service.sessions == session
        going.set()
        assert (await service.wait(other.id, 60)).state == "succeeded"
    assert (done.state, done.error_code) == ("failed", "internal_error")


async def test_a_worker_that_does_not_read_keeps_nobody_else_waiting(database, room, monkeypatch):
    monkeypatch.setattr(session, "PUSH", 0.1)
    jobs.kinds.register(jobs.JobKind("run.beside-a-deaf-one", Order, lease_seconds=30))

    @room[0].register("run.beside-a-deaf-one", Order)
    async def run(context, order):
        return None

    class Deaf(MemoryTransport):
        async def send(self, frame):
            if isinstance(frame, frames.JobAssign):
                await asyncio.Event().wait()

    async with running(database, room, worker=False) as service:
        hello = frames.Hello(credential=None, name="deaf", worker_version="", boot_id="b", slots=1, capabilities=[])
        deaf = session.Session(service, Deaf(), hello, owner="worker:deaf", capabilities=frozenset())
        listening = asyncio.create_task(deaf.run())
        while len(service.sessions) < 3:
            await asyncio.sleep(0.01)
        service.detach(next(one for one in service.sessions if one is not deaf))  # only the deaf one has slots
        job = await service.enqueue(request("run.beside-a-deaf-one"))
        async with asyncio.timeout(60):
            await listening
            while (waiting := await database.read(jobs.get, job.id)).state == "running":
                await asyncio.sleep(0.01)
    assert (waiting.state, waiting.fence) == ("pending", 1)


async def test_nothing_is_kept_of_the_output_of_an_attempt_that_lapsed(database, room):
    jobs.kinds.register(jobs.JobKind("run.lapsed-output", Order, lease_seconds=1))
    runs = []

    @room[0].register("run.lapsed-output", Order)
    async def run(context, order):
        runs.append(context.job.fence)
        context.log(["a line"])
        if len(runs) == 1:
            await asyncio.sleep(60)  # heartbeats are further apart than this lease is long

    async with running(database, room) as service:
        job = await service.enqueue(request("run.lapsed-output"))
        done = await service.wait(job.id, 15)
        async with asyncio.timeout(10):
            while service._logged:
                await asyncio.sleep(0.05)
    assert (done.state, runs) == ("succeeded", [1, 2])


async def test_a_worker_that_is_gone_while_it_is_watched_fails_no_task(database):
    class Gone(MemoryTransport):
        async def send(self, frame):
            raise Disconnected(1006)

    service = jobs.Jobs(database, owner="process:test")
    service.ping_seconds = 0.01
    watched = session.Session(service, Gone(), frames.Hello(), owner="worker:gone", capabilities=frozenset())
    watched._heard = asyncio.get_running_loop().time()
    await asyncio.wait_for(watched._watch_silence(), 5)
