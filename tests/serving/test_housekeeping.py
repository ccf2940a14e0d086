"""Housekeeping: what is old goes by itself, at its time, and nothing that is needed."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta

from sqlalchemy import text

from quarterdeck.deploy.deployments import retention as deployment_retention
from quarterdeck.fleet.servers import provider_lines
from quarterdeck.identity import retention as identity_retention
from quarterdeck.kernel import audit, events, jobs, retention
from quarterdeck.kernel.jobs.dispatcher import chores
from quarterdeck.kernel.logs import Line
from quarterdeck.kernel.retention import own
from quarterdeck.kernel.retention.categories import _lasting, over
from quarterdeck.tasks.work import retention as task_retention

DAY = 86_400
ROOMS = (own, identity_retention, deployment_retention, provider_lines, task_retention)


class Kept(audit.Action):
    SEEN = "housekeeping.seen"


def count(tx, table: str) -> int:
    return tx.execute(f"SELECT COUNT(*) FROM {table}").scalar()


async def test_every_category_is_scheduled_in_the_lane_that_delays_nothing(house, clock):
    await house.db.write(retention.schedule_all)
    await house.db.write(retention.schedule_all)  # every start does

    def schedules(tx):
        rows = tx.execute("SELECT name, options FROM job_schedules")
        return {row[0]: row[1] for row in rows}

    found = await house.db.read(schedules)
    assert set(found) == {f"housekeeping:{one.name}" for one in retention.categories()}
    assert all("housekeeping" in str(options) for options in found.values())
    clock.advance(DAY + 1)
    await house.db.write(chores)
    waiting = await house.db.read(jobs.list, jobs.Filter(kind=retention.KIND))
    assert len(waiting) == len(found)
    assert {job.lane for job in waiting} == {"housekeeping"}


async def test_a_schedule_that_falls_due_tidies(house, clock):
    """The whole way: time passes, the schedule fires, the server's own worker runs it."""

    def old(tx):
        for number in range(3):
            events.append(tx, "project:prj_1", "project-seen", {"number": number})

    await house.db.write(old)
    await house.db.write(retention.schedule_all)
    service = jobs.Jobs(house.db, owner="process:housekeeping")
    clock.advance(181 * DAY)
    await service.start(house, worker=False)
    try:
        async with asyncio.timeout(30):
            while await house.db.read(count, "domain_events"):
                await asyncio.sleep(0.05)
    finally:
        await service.stop()


async def test_a_stream_that_nobody_can_hold_a_number_of_goes(house, clock, monkeypatch):
    """Of what is still there it stays, whatever it holds: numbers of it are never given again."""
    there = {"deployment:dep_there", "task:7", "runtime:res_there", "server:srv_there"}
    for prefix in ("deployment:", "task:", "runtime:", "server:"):
        assert prefix in _lasting
        monkeypatch.setitem(_lasting, prefix, lambda tx, streams: [one for one in streams if one in there])
    monkeypatch.setattr(own, "NAMES", 3)
    gone = {"deployment:dep_gone", "task:8", "runtime:res_gone", "server:srv_gone", "grant:1", "job:1"}

    def append(tx):
        for stream in sorted(there | gone):
            events.append(tx, stream, "seen", {})

    await house.db.write(append)
    for stream in sorted(there | gone):
        await house.logs.store(stream, [Line(clock.now(), "application", "stdout", None, "info", "x")])
    assert await retention.tidy(house, "streams") == 0, "all hold something"
    clock.advance(1)
    await house.db.write(events.prune, clock.now(), dry_run=False)
    await house.logs.prune(before=clock.now())
    assert await retention.tidy(house, "streams") == len(gone), "events are old when they go"
    clock.advance(181 * DAY)
    await house.logs.store("job:2", [Line(clock.now(), "application", "stdout", None, "info", "x")])
    assert await retention.tidy(house, "streams") == len(gone)
    assert set(await house.db.read(lambda tx: tx.execute("SELECT stream FROM event_streams").scalars().all())) == there
    left = {one: (await house.logs.state(one)).head for one in sorted(there | gone | {"job:2"})}
    assert {one for one, head in left.items() if head} == there | {"job:2"}


async def test_what_is_there_is_known_by_its_record(house):
    streams = ["deployment:dep_none", "task:4711", "runtime:res_none", "server:srv_none", "job:1", "task:odd"]
    assert await house.db.read(over, streams) == streams[:-1]


async def test_events_of_an_attempt_that_is_in_no_record_go(house, clock):
    await house.db.write(events.append, "deployment:dep_gone", "deployment-pruned", {})
    await retention.tidy(house, "deployment-lines")
    assert await house.db.read(count, "event_streams") == 0


async def test_events_of_deployments_are_history_and_stay(house, clock):
    def append(tx):
        events.append(tx, "deployment:dep_1", "deployment-succeeded", {})
        events.append(tx, "project:prj_1", "project-created", {})

    await house.db.write(append)
    clock.advance(181 * DAY)
    assert await retention.tidy(house, "domain-events") == 1
    assert await house.db.read(count, "domain_events") == 1
    assert [one.type for one in await house.db.read(events.read, "deployment:dep_1")] == ["deployment-succeeded"]
    assert await retention.tidy(house, "domain-events") == 0


async def test_lines_of_what_runs_go_after_two_weeks_those_of_deployments_stay(house, clock):
    def line(message: str) -> Line:
        return Line(clock.now(), "application", "stdout", None, "info", message)

    await house.logs.store("runtime:res_1", [line("old")])
    await house.logs.store("deployment:dep_1", [line("old")])
    clock.advance(15 * DAY)
    await house.logs.store("runtime:res_1", [line("new")])
    assert await retention.tidy(house, "log-lines") == 1
    assert [one.message for one in await house.logs.read("runtime:res_1")] == ["new"]
    assert [one.message for one in await house.logs.read("deployment:dep_1")] == ["old"]


async def test_ended_jobs_go_after_ninety_days_and_chores_after_two(house, clock):
    jobs.kinds.register(jobs.JobKind("housekeeping.test"))

    def ended(tx):
        for lane in ("normal", "housekeeping"):
            job = jobs.enqueue(tx, jobs.Enqueue("housekeeping.test", {}, None, lane=lane))
            jobs.cancel(tx, job.id, "not needed")
        jobs.enqueue(tx, jobs.Enqueue("housekeeping.test", {}, None, run_at=tx.now + timedelta(days=365)))

    await house.db.write(ended)
    clock.advance(2 * DAY)
    assert await retention.tidy(house, "housekeeping-jobs") == 0  # exactly two days old
    clock.advance(1)
    assert await retention.tidy(house, "housekeeping-jobs") == 1
    assert await retention.tidy(house, "jobs") == 0
    clock.advance(90 * DAY)
    assert await retention.tidy(house, "jobs") == 1
    assert await house.db.read(count, "jobs") == 1  # the one that waits


async def test_audit_events_go_as_tombstones_and_never_what_is_held(house, clock):
    def acts(tx):
        for aggregate in ("free", "held"):
            audit.record(tx, Kept.SEEN, resource_type="test", resource_id=aggregate, organization_id=1)
        audit.hold(tx, "a case in court", aggregate_id="held")

    await house.db.write(acts)
    from quarterdeck.kernel.audit.seal import seal

    while await house.db.write(seal):
        pass
    clock.advance(731 * DAY)
    assert await retention.tidy(house, "audit-events") == 2  # the free one, and that a hold was placed
    assert await house.db.read(count, "audit_tombstones") == 2
    assert await house.db.read(count, "audit_events") == 2  # the one that is held, and what the pruning says of itself
    assert (await house.db.read(audit.verify)).ok
    clock.advance(731 * DAY)
    assert await retention.tidy(house, "audit-events") == 0


async def test_expired_tokens_and_long_ended_sessions_go(house, clock):
    from quarterdeck.identity import sessions, setup
    from quarterdeck.identity.model import User

    def signed_in(tx):
        organization = setup.default_organization(tx)
        user = tx.add(User(uid=tx.ids.uid(), username="ada", display_name="Ada", created_at=tx.now, updated_at=tx.now))
        tx.flush()
        sessions.open_session(tx, user, organization, kinds=("session", "access"), client_kind="web")

    await house.db.write(signed_in)
    clock.advance(3600)
    assert await retention.tidy(house, "session-tokens") == 1  # the access token lasts a quarter of an hour
    assert await retention.tidy(house, "sessions") == 0
    clock.advance(400 * DAY)
    assert await retention.tidy(house, "session-tokens") == 1
    assert await retention.tidy(house, "sessions") == 1
    assert await house.db.read(count, "identity_sessions") == 0


async def test_fired_due_times_go_after_a_month(house, clock):
    await house.db.write(retention.schedule_all)
    clock.advance(DAY + 1)
    await house.db.write(chores)
    fired = await house.db.read(count, "job_schedule_runs")
    assert fired == len(retention.categories())
    clock.advance(31 * DAY)
    assert await retention.tidy(house, "schedule-runs") == fired


async def test_directories_of_ended_attempts_go_after_a_day(house, clock, tmp_path):
    runtime = tmp_path / "runtime"
    yesterday = clock.now().timestamp() - DAY - 60
    for room in ("deployments", "plans", "releases"):
        for name in ("dep_old", "dep_new"):
            (runtime / room / name / "inner").mkdir(parents=True)
            stamp = yesterday if name == "dep_old" else clock.now().timestamp()
            os.utime(runtime / room / name, (stamp, stamp))
    (runtime / "deployments" / "a-file").write_text("not ours")
    for name in ("work-directories", "plan-directories", "releases"):
        assert await retention.tidy(house, name) == 1
    for room in ("deployments", "plans", "releases"):
        assert not (runtime / room / "dep_old").exists()
        assert (runtime / room / "dep_new" / "inner").exists()
    assert (runtime / "deployments" / "a-file").exists()


def test_what_runs_or_may_be_given_back_is_never_a_leftover(tmp_path):
    for name in ("dep_running", "dep_retained", "dep_forgotten"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1, 1))
    (tmp_path / "link").symlink_to(tmp_path / "dep_running")
    from datetime import UTC, datetime

    found = deployment_retention.leftovers(
        tmp_path, datetime.fromtimestamp(time.time(), UTC), {"dep_running", "dep_retained"}
    )
    assert [path.name for path in found] == ["dep_forgotten"]


async def test_images_are_left_alone_without_an_engine(house):
    assert await retention.tidy(house, "images") == 0


async def test_a_category_that_is_kept_for_ever_is_not_scheduled(house):
    async def never(_instance, _before):
        raise AssertionError

    retention.register(retention.Category("test-for-ever", "Never pruned", None, never))
    try:
        await house.db.write(retention.schedule_all)

        def due(tx):
            return tx.execute(
                text("SELECT next_due_at FROM job_schedules WHERE name = 'housekeeping:test-for-ever'")
            ).scalar()

        assert await house.db.read(due) is None
        assert await retention.tidy(house, "test-for-ever") == 0
    finally:
        from quarterdeck.kernel.retention.categories import _known

        _known.pop("test-for-ever")
