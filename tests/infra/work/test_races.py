"""What happens at the same time: of two at once, one wins, and nothing is half done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from quarterdeck.kernel.errors import Conflict, Invalid, Problem


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Answers or refusals, in the order of the acts."""
    found: list[Any] = [None] * len(acts)
    ready = threading.Barrier(len(acts))

    def run(number: int, act: Callable[[], Any]) -> None:
        ready.wait()
        try:
            found[number] = act()
        except Problem as problem:
            found[number] = problem

    threads = [threading.Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert not any(one.is_alive() for one in threads)
    return found


@pytest.mark.parametrize("_", range(4))
def test_of_two_claims_at_once_one_wins(yard, _):
    runners = [yard.runner(f"rack-{number}") for number in range(4)]
    uid = yard.ask("PLAN", yard.spec())
    won = [one for one in at_once(*(runner.claim for runner in runners)) if one is not None]
    assert [one.uid for one in won] == [uid]
    assert yard.job(uid).attempts == 1


def test_a_claim_and_six_cancels_at_once_leave_one_truth(yard):
    runner, spec = yard.runner(), yard.spec()
    uid = yard.ask("DEPLOY", spec)
    claimed, *cancelled = at_once(runner.claim, *(lambda: yard.cancel(uid) for _ in range(6)))
    assert sum(not isinstance(one, Exception) for one in cancelled) == 1
    assert all(isinstance(one, Invalid) for one in cancelled if isinstance(one, Exception))
    assert (yard.job(uid).status, yard.status(spec)) == ("CANCELLED", "DRAFT")
    assert yard.words(uid).count("cancelled") == 1
    if claimed is not None:
        assert runner.report(uid, "PROCESSING") is False
        assert runner.report(uid, "CANCELLED") is False
    assert yard.carried(uid).state == "canceled"


@pytest.mark.parametrize("_", range(3))
def test_a_report_and_a_cancel_at_once_end_a_job_once(yard, _):
    runner, spec = yard.runner(), yard.spec()
    uid = yard.ask("PLAN", spec)
    runner.claim()
    runner.report(uid, "PROCESSING")
    applied, cancelled = at_once(lambda: runner.report(uid, "SUCCESS"), lambda: yard.cancel(uid))
    job = yard.job(uid)
    if applied is True:
        assert isinstance(cancelled, Invalid)
        assert job.status == "SUCCESS"
    else:
        assert applied is False
        assert job.status == "CANCELLED"
    assert yard.carried(uid).ended
    assert yard.status(spec) == "DRAFT"
    assert yard.words(uid).count("success") + yard.words(uid).count("cancelled") == 1


def test_a_pin_and_a_claim_at_once(yard):
    first, second = yard.runner("first"), yard.runner("second")
    uid = yard.ask("PLAN", yard.spec())
    claimed, pinned = at_once(first.claim, lambda: yard.pin(uid, second.worker.uid))
    if claimed is not None:
        assert isinstance(pinned, Conflict)
        assert yard.job(uid).assigned_worker_id is None
    else:
        assert second.claim().uid == uid


def test_two_applies_of_one_plan_at_once(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    made = at_once(*(lambda: yard.ask("DEPLOY", spec, plan_job_uid=plan) for _ in range(3)))
    assert sum(isinstance(one, str) for one in made) == 1
    assert {one.code for one in made if isinstance(one, Problem)} == {"infra_plan_taken"}


def test_a_lapse_and_a_report_at_once_leave_one_holder(yard):
    first, second = yard.runner("first"), yard.runner("second")
    uid = yard.ask("PLAN", yard.spec())
    first.claim()
    said, _ = at_once(lambda: first.report(uid, "SUCCESS"), yard.lapse)
    job = yard.job(uid)
    if said is True:
        assert job.status == "SUCCESS"
        assert second.claim() is None
    else:
        assert isinstance(said, Conflict)
        assert second.claim().uid == uid


def test_what_fails_between_ledger_and_row_leaves_neither(yard, monkeypatch):
    from quarterdeck.infra.work import cancelling, creating, finishing

    spec, runner = yard.spec(), yard.runner()

    def dies(*_args, **_more):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(creating, "committing", dies)
        with pytest.raises(RuntimeError):
            yard.ask("PLAN", spec)
    assert runner.claim() is None
    assert yard.status(spec) == "DRAFT"
    uid = yard.ask("PLAN", spec)
    with monkeypatch.context() as patch:
        patch.setattr(cancelling, "committing", dies)
        with pytest.raises(RuntimeError):
            yard.cancel(uid)
    assert (yard.job(uid).status, yard.carried(uid).state) == ("QUEUED", "pending")
    runner.claim()
    runner.report(uid, "PROCESSING")
    with monkeypatch.context() as patch:
        patch.setattr(finishing, "committing", dies)
        with pytest.raises(RuntimeError):
            runner.report(uid, "SUCCESS", note=1)
    assert (yard.job(uid).status, yard.carried(uid).state) == ("PROCESSING", "running")
    assert "note" not in yard.job(uid).execution_metadata
    assert runner.report(uid, "SUCCESS")
