"""Whoever a runner was to somebody, its end loses no job, and its enrolment for other work stays."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quarterdeck.fleet.workers import draining
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners import beating, leaving, registration
from quarterdeck.infra.runners.model import DefaultRunner, Runner
from quarterdeck.kernel import events
from quarterdeck.kernel.errors import Conflict, Unauthenticated
from support.enrolled import enrolled


def gone(yard, worker):
    return yard.db.read_sync(lambda tx: tx.first(select(Runner).where(Runner.worker_id == worker.id))) is None


def test_a_plan_of_a_removed_runner_waits_and_an_apply_has_failed_with_what_it_may_have_left(yard):
    runner = yard.runner()
    plan, apply = yard.ask("PLAN", yard.spec("a")), yard.ask("DEPLOY", yard.spec("b"))
    assert {runner.claim().uid, runner.claim().uid} == {plan, apply}
    runner.report(plan, "PROCESSING")
    runner.report(apply, "PROCESSING")
    yard.act(lambda tx: leaving.remove(tx, tx.get(Worker, runner.worker.id)))
    assert (yard.job(plan).status, yard.job(plan).worker_id) == ("QUEUED", None)
    assert (yard.job(apply).status, yard.job(apply).orphan_risk) == ("FAILED", True)
    assert yard.job(apply).worker_id is None
    assert gone(yard, runner.worker)
    with pytest.raises(Conflict):
        runner.report(plan, "SUCCESS")


def test_a_runner_that_another_surface_decommissions_is_no_runner_any_more(yard):
    runner = yard.runner()
    uid = yard.ask("PLAN", yard.spec(), assigned_worker_uid=runner.worker.uid)
    yard.act(lambda tx: draining.decommission(tx, tx.get(Worker, runner.worker.id)))
    assert yard.job(uid).assigned_worker_id is None
    assert gone(yard, runner.worker)
    assert yard.runner("next").claim().uid == uid


def test_an_enrolled_worker_becomes_a_runner_by_the_event_of_its_enrolment(yard):
    def enrol(tx, *words):
        one = enrolled(tx, words, organization_id=yard.organization.id, name=words[0])
        return one.worker

    infra, other = yard.act(enrol, "infra"), yard.act(enrol, "tasks")
    for worker in (infra, other):
        told = yard.db.read_sync(events.read, f"worker:{worker.uid}")
        for event in told:
            yard.act(lambda tx, one=event: registration.hear(tx, one))
            yard.act(lambda tx, one=event: registration.hear(tx, one))  # as often as it is told
    assert not gone(yard, infra)
    assert gone(yard, other)
    row = yard.db.read_sync(lambda tx: tx.first(select(Runner).where(Runner.worker_id == infra.id)))
    assert (row.mode, row.token_hash, row.owner_id) == ("self-hosted", None, yard.ada.id)


def test_an_enrolled_worker_has_no_token_that_opens_the_documented_calls(yard):
    from quarterdeck.infra.runners import authenticating

    worker = yard.enrolled().row
    yard.act(registration.adopt, worker)
    for token in ("", "None", worker.recovery_hash):
        with pytest.raises(Unauthenticated):
            yard.db.read_sync(authenticating.runner, worker.uid, token)


def test_no_organization_registers_runners_without_end(yard, monkeypatch):
    monkeypatch.setattr(registration, "MOST", 2)
    yard.runner("one")
    yard.runner("two")
    with pytest.raises(Conflict, match="2 runners already"):
        yard.runner("three")
    yard.runner("theirs", place=yard.elsewhere())


def test_a_sign_of_life_keeps_what_a_runner_holds_for_another_lease(yard):
    runner = yard.runner()
    uid = yard.ask("PLAN", yard.spec())
    runner.claim()
    for _ in range(5):
        yard.clock.advance(200)
        runner.beat()
    assert yard.lapse() == 1
    assert yard.job(uid).status == "QUEUED"


def test_a_cancellation_is_told_for_half_an_hour(yard):
    runner = yard.runner()
    uid = yard.ask("PLAN", yard.spec())
    runner.claim()
    yard.cancel(uid)
    assert runner.beat() == [uid]
    yard.clock.advance(beating.TOLD.total_seconds() + 1)
    assert runner.beat() == []


def test_a_default_goes_with_its_runner(yard):
    from quarterdeck.infra.runners import default

    runner = yard.runner()
    yard.act(default.choose, runner.worker.uid)
    yard.act(lambda tx: leaving.remove(tx, tx.get(Worker, runner.worker.id)))
    assert yard.db.read_sync(lambda tx: tx.first(select(DefaultRunner))) is None
