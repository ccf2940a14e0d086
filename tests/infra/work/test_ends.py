"""Cancelled, lost, stalled, poisoned, done once more."""

from __future__ import annotations

import pytest

from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work import kind, requeueing
from quarterdeck.infra.work.finishing import MAY_BE_LEFT
from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Conflict, Invalid


def test_a_waiting_job_is_over_at_once_and_its_spec_stands_where_it_stood(yard):
    spec = yard.spec()
    uid = yard.ask("DEPLOY", spec)
    yard.cancel(uid, "wrong one")
    job = yard.job(uid)
    assert (job.status, job.error_message) == ("CANCELLED", "Cancelled by ada. wrong one")
    assert job.completed_at is not None
    assert "late_report" not in job.execution_metadata
    assert (yard.status(spec), yard.carried(uid).state) == ("DRAFT", "canceled")
    assert yard.runner().claim() is None
    with pytest.raises(Invalid) as refused:
        yard.cancel(uid)
    assert "CANCELLED" in refused.value.message


def test_cancelling_a_running_plan_keeps_the_turn_until_its_runner_has_stopped(yard):
    spec, worker = yard.spec(), yard.enrolled()
    uid, behind = yard.ask("PLAN", spec), yard.ask("PLAN", spec)
    worker.claim()
    worker.phase(uid, "prepare", "init", "plan")
    yard.cancel(uid)
    assert (yard.job(uid).status, yard.job(uid).orphan_risk) == ("CANCELLED", False)
    assert yard.carried(uid).cancel_us is not None
    assert worker.claim() == []
    with pytest.raises(jobs.Canceled):
        worker.say(uid, "phase", phase="upload")
    worker.end(uid, "canceled")
    assert worker.claim() == [behind]
    assert yard.job(uid).execution_metadata["late_report"]["status"] == "CANCELLED"


def test_cancelling_an_apply_says_what_may_be_left_over(yard):
    spec, worker = yard.spec(), yard.enrolled()
    uid = yard.ask("DEPLOY", spec)
    worker.claim()
    worker.phase(uid, "prepare", "init", "plan", "apply")
    yard.cancel(uid)
    job = yard.job(uid)
    assert (job.status, job.orphan_risk, yard.status(spec)) == ("CANCELLED", True, "FAILED")
    assert MAY_BE_LEFT in job.error_message
    found = yard.db.read_sync(lambda tx: tx.get(type(spec), spec.id))
    assert found.orphan_risk


def test_cancelling_a_deploy_that_has_changed_nothing_yet_leaves_the_spec_where_it_stood(yard):
    spec, worker = yard.spec(), yard.enrolled()
    uid = yard.ask("DEPLOY", spec)
    worker.claim()
    worker.phase(uid, "prepare", "init")
    yard.cancel(uid)
    assert (yard.job(uid).orphan_risk, yard.status(spec)) == (False, "DRAFT")


def test_a_foreign_runner_is_told_which_jobs_to_stop(yard):
    runner = yard.runner()
    uid = yard.ask("PLAN", yard.spec())
    runner.claim()
    assert runner.beat() == []
    yard.cancel(uid)
    assert runner.beat() == [uid]
    assert runner.report(uid, "CANCELLED") is False
    assert yard.carried(uid).state == "canceled"


@pytest.mark.parametrize("foreign", [True, False])
def test_a_lapsed_lease_is_requeued_with_its_pin_and_its_metadata(yard, foreign):
    spec = yard.spec()
    worker = yard.runner() if foreign else yard.enrolled()
    pinned = (worker.worker if foreign else worker.row).uid
    uid = yard.ask("PLAN", spec, assigned_worker_uid=pinned)
    worker.claim()
    if foreign:
        worker.report(uid, "PROCESSING", note=1)
    else:
        worker.phase(uid, "prepare")
    assert yard.lapse() == 1
    job = yard.job(uid)
    assert (job.status, job.worker_id, job.claimed_at, job.started_at, job.stage) == ("QUEUED", None, None, None, None)
    assert job.assigned_worker_id is not None
    assert job.execution_metadata
    assert yard.status(spec) == "QUEUED"
    worker.claim()
    assert (yard.job(uid).status, yard.job(uid).attempts) == ("CLAIMED", 2)


def test_an_apply_that_vanished_is_never_done_again_by_itself(yard):
    spec, worker = yard.spec(), yard.enrolled()
    uid = yard.ask("DEPLOY", spec)
    worker.claim()
    worker.phase(uid, "prepare", "init", "plan", "apply")
    assert yard.lapse() == 1
    job = yard.job(uid)
    assert (job.status, job.error_code, job.orphan_risk) == ("FAILED", "infra_job_orphaned", True)
    assert yard.status(spec) == "FAILED"
    assert yard.runner().claim() is None


def test_a_foreign_apply_that_vanished_is_not_done_again_either(yard):
    spec, runner = yard.spec(), yard.runner()
    uid = yard.ask("DEPLOY", spec)
    runner.claim()
    runner.report(uid, "PROCESSING", phase="terraform_plan")
    yard.lapse()
    assert (yard.job(uid).status, yard.job(uid).orphan_risk) == ("FAILED", True)


def test_a_deploy_that_was_claimed_and_never_began_waits_again(yard):
    runner = yard.runner()
    uid = yard.ask("DEPLOY", yard.spec())
    runner.claim()
    yard.lapse()
    assert yard.job(uid).status == "QUEUED"


def test_a_job_that_takes_its_runners_down_is_given_up(yard):
    spec, worker = yard.spec(), yard.enrolled()
    uid = yard.ask("PLAN", spec)
    for _ in range(5):
        assert worker.claim() == [uid]
        worker.phase(uid, "prepare")
        yard.lapse()
    job = yard.job(uid)
    assert (job.status, job.error_code, job.attempts) == ("FAILED", "infra_job_poison", 5)
    assert yard.status(spec) == "DRAFT"


def test_a_robbed_runner_is_not_heard_any_more(yard):
    first, second = yard.runner("first"), yard.runner("second")
    uid = yard.ask("PLAN", yard.spec())
    first.claim()
    first.report(uid, "PROCESSING")
    yard.lapse()
    for _ in range(2):
        with pytest.raises(Conflict) as refused:
            first.report(uid, "SUCCESS")
        assert refused.value.code == "infra_job_not_held"
        second.claim()
    second.report(uid, "SUCCESS")
    with pytest.raises(Conflict):
        first.report(uid, "SUCCESS")
    assert yard.job(uid).worker_id == second.worker.id


def test_a_robbed_enrolled_worker_is_fenced(yard):
    first, second = yard.enrolled("first"), yard.enrolled("second")
    uid = yard.ask("PLAN", yard.spec())
    first.claim()
    yard.lapse()
    second.claim()
    with pytest.raises(jobs.Fenced):
        first.say(uid, "phase", phase="prepare")
    assert first.end(uid) is None
    second.phase(uid, "prepare")
    second.end(uid)
    assert yard.job(uid).worker_name == "second"


def test_an_apply_that_was_given_up_and_tells_its_end_is_noted(yard):
    spec, worker = yard.spec(), yard.enrolled()
    uid = yard.ask("DEPLOY", spec)
    worker.claim()
    worker.phase(uid, "prepare", "init", "plan", "apply")
    yard.lapse()
    assert worker.end(uid) is not None
    job = yard.job(uid)
    assert (job.status, job.execution_metadata["late_report"]["status"]) == ("FAILED", "SUCCESS")
    assert yard.status(spec) == "FAILED"


def test_a_plan_of_which_nothing_is_heard_waits_again(yard):
    worker, uid = yard.enrolled(), yard.ask("PLAN", yard.spec())
    worker.claim()
    worker.phase(uid, "prepare", "init", "plan")
    assert yard.stall(uid)
    assert yard.job(uid).status == "QUEUED"
    assert "stalled" in yard.words(uid)
    with pytest.raises(jobs.Fenced):
        worker.say(uid, "phase", phase="upload")


def test_an_apply_of_which_nothing_is_heard_has_failed(yard):
    spec, runner = yard.spec(), yard.runner()
    uid = yard.ask("DEPLOY", spec)
    runner.claim()
    runner.report(uid, "PROCESSING")
    assert yard.stall(uid)
    job = yard.job(uid)
    assert (job.status, job.error_code, job.orphan_risk) == ("FAILED", "infra_job_stalled", True)
    assert yard.status(spec) == "FAILED"
    assert runner.report(uid, "SUCCESS") is False


def test_who_reports_in_time_is_not_stalled(yard):
    runner, uid = yard.runner(), yard.ask("PLAN", yard.spec())
    runner.claim()
    runner.report(uid, "PROCESSING")
    yard.clock.advance(29 * 60)
    runner.report(uid, "PROCESSING")
    yard.clock.advance(29 * 60)
    assert yard.db.read_sync(requeueing.stalled) == []
    assert yard.db.write_sync(requeueing.run, yard.job(uid).id) is False
    assert yard.job(uid).status == "PROCESSING"


def test_a_job_is_done_once_more_as_a_new_one(yard):
    runner, spec = yard.runner(), yard.spec()
    uid = yard.ask("PLAN", spec, assigned_worker_uid=runner.worker.uid)
    with pytest.raises(Conflict) as refused:
        yard.rerun(uid)
    assert refused.value.code == "infra_job_not_ended"
    yard.cancel(uid)
    fresh = yard.job(yard.rerun(uid))
    assert (fresh.status, fresh.rerun_of_id, fresh.assigned_worker_id) == ("QUEUED", yard.job(uid).id, None)
    assert fresh.uid != uid
    assert yard.status(spec) == "QUEUED"


def test_an_apply_of_a_plan_is_not_done_once_more(yard):
    spec = yard.spec()
    uid = yard.ask("DEPLOY", spec, plan_job_uid=yard.planned(spec))
    yard.cancel(uid)
    with pytest.raises(Conflict) as refused:
        yard.rerun(uid)
    assert refused.value.code == "infra_rerun_needs_plan"


def test_operator_work_tells_of_jobs_and_retries_them_by_their_own_rule(yard):
    worker, uid = yard.enrolled(), yard.ask("PLAN", yard.spec())
    worker.claim()
    worker.phase(uid, "init")
    carried = yard.carried(uid)
    told = yard.db.read_sync(kind.describe, [carried])[carried.id]
    assert (told.phase, told.details["jobId"], told.details["status"]) == ("init", uid, "PROCESSING")
    assert yard.db.read_sync(kind.unsettled) == [carried.id]
    worker.end(uid, "failed", error_code="x", error_message="y", retriable=True)
    again = yard.act(jobs.retry, carried.id)
    assert again.retry_of_id == carried.id
    assert again.subject != carried.subject


def test_a_waiting_job_that_operator_work_cancels_is_cancelled(yard):
    spec = yard.spec()
    uid = yard.ask("PLAN", spec)
    yard.act(jobs.cancel, yard.carried(uid).id, "not needed")
    assert (yard.job(uid).status, yard.status(spec)) == ("CANCELLED", "DRAFT")


def test_a_job_whose_specification_is_gone_is_not_done_once_more(yard):
    spec = yard.spec()
    uid = yard.ask("PLAN", spec)
    yard.cancel(uid)
    yard.db.write_sync(lambda tx: tx.session.delete(tx.get(Spec, spec.id)))
    with pytest.raises(Conflict) as refused:
        yard.rerun(uid)
    assert refused.value.code == "infra_rerun_impossible"
