"""What people are told of jobs, and how long jobs and their lines stay."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

from sqlalchemy import select

from quarterdeck.infra.work import lines, retention, telling
from quarterdeck.infra.work.happenings import stream
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import events
from quarterdeck.notify.hooks import offered
from quarterdeck.notify.model import Notification

DAY = 86_400


def told(yard, uid):
    """What the owner hears of everything that happened to a job."""

    def verb(tx):
        for event in events.read(tx, stream(uid)):
            if event.type in telling.TYPES:
                telling.hear(tx, event)
        tx.flush()
        return [(one.type, one.title, one.body) for one in tx.scalars(select(Notification).order_by(Notification.id))]

    return yard.act(verb)


def test_whoever_asked_hears_how_it_ended(yard):
    worker, uid = yard.enrolled(), yard.ask("PLAN", yard.spec())
    worker.claim()
    worker.phase(uid, "prepare")
    worker.end(uid, "failed", error_code="x", error_message="No way.\nTry another.")
    assert told(yard, uid) == [("infra_job_failed", "PLAN of ledger: FAILED", "No way. Try another.")]


def test_a_cancellation_is_news_where_it_left_something(yard):
    worker, spec = yard.enrolled(), yard.spec()
    quiet, uid = yard.ask("PLAN", yard.spec("b")), yard.ask("DEPLOY", spec)
    yard.cancel(quiet)
    assert told(yard, quiet) == []
    worker.claim()
    worker.phase(uid, "prepare", "apply")
    yard.cancel(uid)
    assert [kind for kind, _, _ in told(yard, uid)] == ["infra_job_failed"]


def test_looks_for_drift_and_old_news_are_not_told(yard):
    worker = yard.enrolled()
    look, uid = yard.ask("PLAN", yard.spec(), read_only=True), yard.ask("PLAN", yard.spec("b"))
    worker.claim()
    for one in (look, uid):
        worker.phase(one, "prepare")
        worker.end(one)
    yard.clock.advance(2 * DAY)
    assert told(yard, look) == told(yard, uid) == []


def test_programs_may_be_told_of_every_move(yard):
    worker, uid = yard.enrolled(), yard.ask("PLAN", yard.spec())
    worker.claim()
    worker.phase(uid, "prepare")
    worker.end(uid)
    found = [offered.named(one) for one in yard.db.read_sync(events.read, stream(uid))]
    assert [one for one in found if one] == [
        "infrastructure.job_queued", "infrastructure.job_claimed", "infrastructure.job_processing",
        "infrastructure.job_success",
    ]  # fmt: skip


def instance(yard):
    return SimpleNamespace(db=yard.db, logs=yard.logs)


async def test_ended_jobs_go_with_their_lines_and_events_and_what_lives_needs_stays(yard):
    spec = yard.spec()
    old, plan, live = yard.ask("PLAN", spec), None, None
    yard.cancel(old)
    await lines.take(yard.logs, old, "bye\n", "STDOUT", yard.clock.now())
    plan = yard.planned(spec)
    live = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    yard.clock.advance(200 * DAY)
    before = yard.clock.now() - retention.JOBS
    assert await retention._forget(instance(yard), before) == 1
    left = await yard.db.read(lambda tx: set(tx.execute(select(InfraJob.uid)).scalars()))
    assert left == {plan, live}
    assert await yard.db.read(events.read, stream(old)) == []
    assert await yard.logs.read(stream(old)) == []
    assert await retention._forget(instance(yard), before) == 0


async def test_lines_go_before_their_jobs(yard):
    uid = yard.ask("PLAN", yard.spec())
    await lines.take(yard.logs, uid, "one\n", "STDOUT", yard.clock.now())
    yard.clock.advance(31 * DAY)
    await lines.take(yard.logs, uid, "two\n", "STDOUT", yard.clock.now())
    assert await retention._prune(instance(yard), yard.clock.now() - timedelta(days=30)) == 1
    found, _ = await lines.read(yard.logs, uid)
    assert [(one.id, one.text) for one in found] == [(2, "two\n")]
    assert await yard.db.read(retention._there, [stream(uid), stream("gone")]) == [stream(uid)]
