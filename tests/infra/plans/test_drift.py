"""Looks for drift: when they are asked for, what stands before them, and what they find."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from quarterdeck.infra.plans import drift, drifting, failing
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import events
from quarterdeck.kernel.errors import Conflict
from quarterdeck.notify.model import Notification
from support import infra_rows as rows
from support.infra_work_yard import DOCUMENT

CHANGED = {"address": "aws_vpc.main", "type": "aws_vpc", "action": "update", "before": {"a": 1}, "after": {"a": 2}}


@pytest.fixture
def spec(yard):
    """It stands, and is looked at every hour."""
    found = yard.spec(drift_minutes=60)
    yard.wrote(found, 1, resources=[rows.resource("a")])
    return found


def fresh(yard, spec) -> Spec:
    found = yard.db.read_sync(lambda tx: tx.get(Spec, spec.id))
    assert found is not None
    return found


def due(yard) -> None:
    yard.clock.advance(3601)


def looks(yard) -> list[InfraJob]:
    query = select(InfraJob).where(InfraJob.read_only.is_(True)).order_by(InfraJob.id)
    return yard.db.read_sync(lambda tx: list(tx.scalars(query)))


async def look(yard) -> list[str]:
    return await drifting.look(yard.db)


def carry_out(yard, uid: str, worker=None, **report) -> None:
    worker = worker or yard.enrolled(f"looker-{yard.db.ids.text(6)}")
    assert uid in worker.claim()
    worker.phase(uid, "prepare", "init", "plan")
    worker.say(uid, "plan", **{"summary": {}, "changes": [], "sha256": "a" * 64, "size": 1, "serial": 1,
                               "lineage": "one", "drifted": 0, "drift": [], **report})  # fmt: skip
    worker.end(uid)


async def test_each_due_time_is_looked_at_once(yard, spec):
    assert await look(yard) == []
    due(yard)
    (uid,) = await look(yard)
    assert await look(yard) == []
    job = yard.job(uid)
    assert (job.job_type, job.read_only, job.owner_id, yard.carried(uid).lane) == ("PLAN", True, 0, "background")
    assert yard.status(spec) == "DRAFT", "a look changes nothing of what is shown"
    carry_out(yard, uid)
    assert await look(yard) == []
    due(yard)
    assert len(await look(yard)) == 1


async def test_on_several_servers_it_is_asked_for_once(yard, spec):
    due(yard)
    found = await asyncio.gather(*(look(yard) for _ in range(4)))
    assert len([uid for some in found for uid in some]) == 1


async def test_while_a_job_of_it_lives_a_look_is_left_out(yard, spec):
    uid = yard.ask("PLAN", spec)
    due(yard)
    assert await look(yard) == []
    yard.cancel(uid)
    assert await look(yard) == [], "that time has passed"
    due(yard)
    assert len(await look(yard)) == 1


@pytest.mark.parametrize("how", ["no-state", "no-schedule", "gone"])
async def test_what_does_not_stand_or_is_not_scheduled_is_not_looked_at(yard, how):
    found = yard.spec(drift_minutes=None if how == "no-schedule" else 60)
    if how != "no-state":
        yard.wrote(found, 1, resources=[rows.resource("a")])
    if how == "gone":
        yard.wrote(found, 2)
    due(yard)
    assert await look(yard) == []


async def test_a_look_that_waits_makes_way_for_what_people_ask_for(yard, spec):
    due(yard)
    (uid,) = await look(yard)
    theirs = yard.ask("PLAN", spec)
    assert yard.job(uid).status == "CANCELLED"
    assert yard.enrolled().claim() == [theirs]


async def test_what_cannot_be_asked_for_keeps_no_other_waiting(yard, spec, monkeypatch):
    other = yard.spec("shop", drift_minutes=60)
    yard.wrote(other, 1, resources=[rows.resource("a")])
    due(yard)
    asked = drift._ask

    def fails(tx, one):
        if one.id == spec.id:
            raise Conflict("Too much waits.", code="infra_too_many_jobs")
        return asked(tx, one)

    monkeypatch.setattr(drift, "_ask", fails)
    (uid,) = await look(yard)
    assert yard.job(uid).spec_id == other.id
    assert await look(yard) == []
    assert fresh(yard, spec).drift_due_at > yard.clock.now()


async def test_drift_is_told_when_it_begins_and_when_it_ends(yard, spec):
    def told() -> list[str]:
        found = yard.db.read_sync(events.read, f"infra-spec:{spec.uid}")
        return [one.type for one in found if one.type.startswith("infra-drift")]

    def notified() -> list[str]:
        return yard.db.read_sync(lambda tx: list(tx.scalars(select(Notification.title).order_by(Notification.id))))

    due(yard)
    (uid,) = await look(yard)
    carry_out(yard, uid)
    kept = fresh(yard, spec)
    assert (kept.drift["drifted"], kept.drift["job"], kept.drift_checked_at) == (False, uid, yard.clock.now())
    assert told() == []
    for _ in range(2):
        due(yard)
        (uid,) = await look(yard)
        carry_out(yard, uid, drifted=1, drift=[{**CHANGED, "before": {"password": "p1"}, "after": {"password": "p2"}}])
    kept = fresh(yard, spec)
    assert (kept.drift["drifted"], [one["address"] for one in kept.drift["changes"]]) == (True, ["aws_vpc.main"])
    assert "p1" not in str(kept.drift)
    assert told() == ["infra-drift-began"]
    assert notified() == ["ledger has drifted"]
    due(yard)
    (uid,) = await look(yard)
    carry_out(yard, uid)
    assert told() == ["infra-drift-began", "infra-drift-ended"]
    assert notified() == ["ledger has drifted", "ledger has drifted no more"]


@pytest.mark.parametrize(
    ("applied", "found"),
    [("same", ["aws_vpc.main", "aws_vpc.gone"]), ("other", ["aws_vpc.main"]), (None, ["aws_vpc.main"])],
    ids=["as-applied", "forgotten", "failed"],
)
async def test_what_an_apply_of_the_same_would_still_do_has_drifted(yard, spec, applied, found):
    def stands(tx) -> None:
        one = tx.get(Spec, spec.id)
        one.applied_hash = one.configuration_hash if applied == "same" else applied

    yard.db.write_sync(stands)
    due(yard)
    (uid,) = await look(yard)
    left = [CHANGED, {**CHANGED, "address": "aws_vpc.gone", "action": "create"}]
    carry_out(
        yard, uid, drifted=1, drift=[CHANGED], changes=[*left, {**CHANGED, "address": "data.a", "action": "read"}]
    )
    assert [one["address"] for one in fresh(yard, spec).drift["changes"]] == found


async def test_a_look_is_at_what_was_applied_last_whatever_was_changed_since(yard):
    found = yard.spec(drift_minutes=60)
    yard.wrote(found, 1, resources=[rows.resource("a")])

    def applied_and_changed(tx) -> None:
        one = tx.get(Spec, found.id)
        one.applied_hash = one.configuration_hash
        specs.change(tx, yard.access, one.uid, {**DOCUMENT, "region": "elsewhere"})

    yard.act(applied_and_changed)
    due(yard)
    (uid,) = await look(yard)
    job, spec = yard.job(uid), fresh(yard, found)
    assert (job.snapshot["region"], job.snapshot["version"]) == (DOCUMENT["region"], 1)
    assert job.configuration_hash == spec.applied_hash != spec.configuration_hash


async def test_what_was_applied_anew_has_not_drifted(yard, spec):
    due(yard)
    (uid,) = await look(yard)
    carry_out(yard, uid, drifted=1, drift=[CHANGED])
    yard.clock.advance(1)
    deploy, worker = yard.ask("DEPLOY", spec), yard.enrolled()
    worker.claim()
    worker.phase(deploy, "prepare", "init", "apply")
    worker.end(deploy)
    (settling,) = [one for one in events.subscribers() if one.name == "infra-drift-settled"]
    while yard.db.write_sync(events.deliver, settling):
        pass
    assert fresh(yard, spec).drift is None


def heard(yard) -> list[tuple[str, bool]]:
    """Titles of what was told, and whether it asks for a reader still."""
    query = select(Notification).order_by(Notification.id)
    return [(one.title, one.read_at is None) for one in yard.db.read_sync(lambda tx: list(tx.scalars(query)))]


def said(yard, spec) -> list[str]:
    found = yard.db.read_sync(events.read, f"infra-spec:{spec.uid}")
    return [one.type for one in found if one.type.startswith("infra-drift-look")]


async def fails(yard, *, message: str = "no\nnetwork") -> str:
    due(yard)
    (uid,) = await look(yard)
    worker = yard.enrolled(f"looker-{yard.db.ids.text(6)}")
    assert uid in worker.claim()
    worker.phase(uid, "prepare")
    worker.end(uid, "failed", error_code="infra_init_failed", error_message=message)
    return uid


def shown(yard, spec) -> str | None:
    found = yard.db.read_sync(lambda tx: failing.newest(tx, tx.get(Spec, spec.id)))
    return found.uid if found is not None else None


async def test_one_look_that_fails_says_nothing(yard, spec):
    await fails(yard)
    assert fresh(yard, spec).drift is None
    assert yard.status(spec) == "DRAFT"
    assert (heard(yard), said(yard, spec), shown(yard, spec)) == ([], [], None)


async def test_looks_that_fail_twice_in_a_row_are_told_once_and_a_good_one_ends_it(yard, spec):
    await fails(yard)
    last = await fails(yard)
    title = "Nobody can tell whether ledger has drifted"
    assert (heard(yard), shown(yard, spec)) == ([(title, True)], last)
    body = yard.db.read_sync(lambda tx: tx.scalars(select(Notification.body)).first())
    assert body == "Looks for drift fail: no network"
    last = await fails(yard)
    assert (heard(yard), said(yard, spec), shown(yard, spec)) == ([(title, True)], [failing.FAILING], last)
    due(yard)
    (uid,) = await look(yard)
    carry_out(yard, uid)
    assert heard(yard) == [(title, False), ("ledger can be looked at for drift again", True)]
    assert (said(yard, spec), shown(yard, spec)) == ([failing.FAILING, failing.RECOVERED], None)
    await fails(yard)
    assert len(heard(yard)) == 2, "it counts anew"
    await fails(yard)
    assert len(heard(yard)) == 3


async def test_a_look_that_made_way_is_no_failure_and_an_apply_ends_what_failed(yard, spec):
    await fails(yard)
    due(yard)
    await look(yard)
    deploy = yard.ask("DEPLOY", spec)
    assert shown(yard, spec) is None
    yard.cancel(deploy)
    await fails(yard)
    assert len(heard(yard)) == 1, "the one before that was cancelled is passed over"
    other = yard.spec("other", drift_minutes=60)
    deploy, worker = yard.ask("DEPLOY", spec), yard.enrolled()
    assert worker.claim() == [deploy]
    worker.phase(deploy, "prepare", "init", "apply")
    worker.end(deploy)
    assert (said(yard, spec), said(yard, other)) == ([failing.FAILING, failing.RECOVERED], [])
    assert shown(yard, spec) is None


async def test_a_look_that_runs_makes_way_and_is_asked_for_again(yard, spec):
    due(yard)
    (uid,) = await look(yard)
    worker, other = yard.enrolled("looker"), yard.enrolled("maker")
    assert worker.claim() == [uid]
    worker.phase(uid, "prepare", "init", "plan")
    theirs = yard.ask("DEPLOY", spec)
    assert (yard.job(uid).status, yard.job(uid).orphan_risk) == ("CANCELLED", False)
    assert other.claim() == [], "two never work on one state: its runner stops first"
    worker.end(uid, "canceled")
    assert other.claim() == [theirs]
    assert fresh(yard, spec).drift_due_at == yard.clock.now() + drift.LATER
    other.phase(theirs, "prepare", "init", "apply")
    other.end(theirs)
    yard.clock.advance(601)
    (again,) = await look(yard)
    carry_out(yard, again)
    assert fresh(yard, spec).drift_due_at == yard.clock.now() + timedelta(hours=1)


async def test_a_look_that_somebody_asked_for_makes_way_too(yard):
    found = yard.spec()
    yard.wrote(found, 1, resources=[rows.resource("a")])
    uid = yard.act(lambda tx: drift.look_now(tx, tx.get(Spec, found.id))).uid
    yard.ask("DESTROY", found)
    assert yard.job(uid).status == "CANCELLED"
    assert fresh(yard, found).drift_due_at == yard.clock.now() + drift.LATER


async def test_a_foreign_runner_tells_of_drift(yard, spec):
    due(yard)
    (uid,) = await look(yard)
    runner = yard.runner()
    assert runner.claim().uid == uid
    change = {"actions": ["update"], "before": {"a": 1, "api_token": "hunter2"}, "after": {"a": 2}}
    drifted = {"address": "aws_vpc.main", "type": "aws_vpc", "change": change}
    runner.report(uid, "PROCESSING", plan_result={"resource_changes": [], "resource_drift": [drifted]})
    runner.report(uid, "SUCCESS")
    kept = fresh(yard, spec).drift
    assert (kept["drifted"], [one["address"] for one in kept["changes"]]) == (True, ["aws_vpc.main"])
    assert [one["address"] for one in yard.kept(uid).drift] == ["aws_vpc.main"]
    told = yard.job(uid).execution_metadata["plan_result"]["resource_drift"]
    assert [(one["address"], one["change"]["actions"]) for one in told] == [("aws_vpc.main", ["update"])]
    assert "hunter2" not in str((kept, told))


async def test_somebody_may_look_now(yard, spec):
    uid = yard.act(lambda tx: drift.look_now(tx, tx.get(Spec, spec.id))).uid
    assert yard.job(uid).owner_id == yard.ada.id
    with pytest.raises(Conflict, match="waits or runs"):
        yard.act(lambda tx: drift.look_now(tx, tx.get(Spec, spec.id)))
    carry_out(yard, uid, drifted=True, changes=[CHANGED])
    assert fresh(yard, spec).drift["drifted"] is True
    bare = yard.spec("bare")
    with pytest.raises(Conflict, match="no resources"):
        yard.act(lambda tx: drift.look_now(tx, tx.get(Spec, bare.id)))
    assert len(looks(yard)) == 1


def test_a_plan_keeps_what_somebody_else_had_changed_when_it_was_made(yard):
    spec = yard.spec()
    before, after = {"input": "x", "api_token": "hunter2"}, {"input": "y", "api_token": "hunter3"}
    changed = {"address": "terraform_data.web", "type": "x", "action": "update", "before": before, "after": after}
    plan = yard.planned(spec, drift=[changed, {"address": "?", "action": "explode"}], summary={"drifted": 1})
    (kept,) = yard.kept(plan).drift
    assert (kept["address"], kept["action"], kept["after"]["input"]) == ("terraform_data.web", "update", "y")
    assert "hunter" not in str(kept)
