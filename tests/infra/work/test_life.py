"""From the asking to the end: by foreign runners, by enrolled workers, by the server's own."""

from __future__ import annotations

import pytest

from quarterdeck.infra.execution import reviewing
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound

READ = reviewing.digest({"create": 1}, [], "plan")


def test_a_foreign_runner_takes_a_plan_and_the_spec_stands_again_where_it_stood(yard):
    spec, runner = yard.spec(), yard.runner()
    uid = yard.ask("PLAN", spec)
    assert (yard.status(spec), runner.waits()) == ("QUEUED", True)
    job = runner.claim()
    assert (job.uid, job.status, job.worker_id, job.attempts) == (uid, "CLAIMED", runner.worker.id, 1)
    assert runner.claim() is None
    assert runner.report(uid, "PROCESSING", phase="terraform_plan")
    began = yard.job(uid).started_at
    yard.clock.advance(5)
    assert runner.report(uid, "PROCESSING", plan_completed=True)
    assert yard.job(uid).started_at == began
    assert yard.job(uid).execution_metadata == {"phase": "terraform_plan", "plan_completed": True}
    assert runner.report(uid, "SUCCESS")
    assert (yard.job(uid).status, yard.status(spec)) == ("SUCCESS", "DRAFT")
    assert yard.carried(uid).state == "succeeded"
    assert yard.words(uid) == ["queued", "claimed", "processing", "success"]


def test_an_enrolled_worker_plans_and_another_applies_exactly_that(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    assert yard.job(plan).execution_metadata["plan_summary"] == {"create": 1}
    uid, worker = yard.ask("DEPLOY", spec, plan_job_uid=plan), yard.enrolled()
    assert worker.claim() == [uid]
    order = worker.order(uid)
    assert order["plan"] == {"job": plan, "sha256": "a" * 64, "size": 10, "reviewed": READ}
    assert (order["place"]["path"], order["place"]["server"]) == (f"/api/jobs/{uid}", "")
    assert order["module"]["name"] == "local"
    worker.phase(uid, "prepare", "init", "download")
    assert yard.plan(plan).applied_at is None
    worker.phase(uid, "apply")
    assert yard.plan(plan).applied_by_id == yard.job(uid).id
    assert yard.status(spec) == "PROVISIONING"
    worker.say(uid, "applied", outputs={"db_password": {"sensitive": True}, "url": "https://x"}, cluster={})
    worker.end(uid)
    assert (yard.job(uid).status, yard.status(spec)) == ("SUCCESS", "ACTIVE")
    assert yard.job(uid).execution_metadata["outputs"] == {"db_password": {"sensitive": True}, "url": "https://x"}
    with pytest.raises(Conflict):
        yard.ask("DEPLOY", spec, plan_job_uid=plan)


def test_the_servers_own_worker_is_told_where_the_server_is_and_gets_no_modules_of_others(yard):
    bundled, own = yard.spec(), yard.own()
    module = {"kind": "git", "url": "https://git.example.com/a.git", "commit": "a" * 40, "path": ""}
    foreign = yard.spec("theirs", module=module)
    uid, other = yard.ask("PLAN", bundled), yard.ask("PLAN", foreign)
    assert own.claim() == [uid]
    assert own.order(uid)["place"]["server"] == "http://127.0.0.1:1"
    assert yard.job(uid).worker_id is None
    assert yard.job(uid).worker_name == "server"
    worker = yard.enrolled()
    assert worker.claim() == [other]
    assert worker.order(other)["module"]["commit"] == "a" * 40


def test_jobs_of_one_spec_run_one_at_a_time_and_in_order(yard):
    spec, worker = yard.spec(), yard.enrolled()
    first, second = yard.ask("PLAN", spec), yard.ask("PLAN", spec)
    other = yard.ask("PLAN", yard.spec("other"))
    assert worker.claim() == [first, other]
    assert worker.claim() == []
    worker.phase(first, "prepare")
    worker.end(first)
    assert yard.status(spec) == "QUEUED"
    assert worker.claim() == [second]


def test_a_failed_apply_says_so_and_the_spec_has_failed(yard):
    spec, worker = yard.spec(), yard.enrolled()
    uid = yard.ask("DEPLOY", spec)
    worker.claim()
    worker.phase(uid, "prepare", "init", "plan", "apply")
    worker.end(uid, "failed", error_code="infra_terraform_failed", error_message="No rights.\nGive some.")
    job = yard.job(uid)
    assert (job.status, job.error_code, job.orphan_risk) == ("FAILED", "infra_terraform_failed", False)
    assert job.error_message == "No rights.\nGive some."
    assert yard.status(spec) == "FAILED"


def test_what_was_interrupted_says_what_may_be_left_over(yard):
    spec, worker = yard.spec(), yard.enrolled()
    uid = yard.ask("DEPLOY", spec)
    worker.claim()
    worker.phase(uid, "prepare", "init", "plan", "apply")
    worker.say(uid, "stopped", phase="apply", reason="time", orphan_risk=True, state=None)
    worker.end(uid, "failed", error_code="infra_timed_out", error_message="Too long.")
    assert yard.job(uid).orphan_risk
    assert yard.status(spec) == "FAILED"


@pytest.mark.parametrize(("end", "status"), [("succeeded", "DESTROYED"), ("failed", "FAILED")])
def test_a_destruction_ends_its_spec(yard, end, status):
    spec, worker = yard.spec(), yard.enrolled()
    uid = yard.ask("DESTROY", spec)
    assert yard.status(spec) == "DESTROYING"
    worker.claim()
    worker.phase(uid, "prepare", "init", "plan", "apply")
    worker.end(uid, end)
    assert yard.status(spec) == status


def test_a_look_for_drift_leaves_the_spec_alone(yard):
    spec, worker = yard.spec(), yard.enrolled()
    uid = yard.ask("PLAN", spec, read_only=True)
    assert yard.status(spec) == "DRAFT"
    worker.claim()
    assert worker.order(uid)["read_only"]
    worker.phase(uid, "prepare")
    worker.end(uid, "failed", error_code="x", error_message="y")
    assert yard.status(spec) == "DRAFT"


def test_a_job_whose_order_cannot_be_made_fails_before_it_began(yard):
    spec, worker = yard.spec(), yard.enrolled()
    plan = yard.planned(spec)
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)

    def spoil(tx):
        tx.execute("UPDATE infra_plans SET applied_at = :now", {"now": 1})

    yard.db.write_sync(spoil)
    assert worker.claim() == []
    job = yard.job(uid)
    assert (job.status, job.error_code, job.worker_id, job.attempts) == ("FAILED", "plan_applied", None, 0)
    assert yard.status(spec) == "DRAFT"


def test_an_apply_whose_plan_is_gone_makes_none_of_its_own(yard):
    spec, worker = yard.spec(), yard.enrolled()
    plan = yard.planned(spec)
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    yard.db.write_sync(lambda tx: tx.execute("DELETE FROM infra_jobs WHERE uid = :uid", {"uid": plan}))
    assert worker.claim() == []
    assert (yard.job(uid).status, yard.job(uid).error_code) == ("FAILED", "plan_artefact_missing")


def test_a_plan_that_is_being_applied_is_not_asked_for_twice(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    yard.ask("DEPLOY", spec, plan_job_uid=plan)
    with pytest.raises(Conflict) as refused:
        yard.ask("DEPLOY", spec, plan_job_uid=plan)
    assert refused.value.code == "infra_plan_taken"


@pytest.mark.parametrize(
    ("job_type", "more", "code"),
    [
        ("SCAN", {}, "infra_job_type_unknown"),
        ("DESTROY_WORKER", {}, "infra_runner_required"),
        ("PLAN", {}, "infra_configuration_required"),
    ],
)
def test_what_lacks_something_is_refused(yard, job_type, more, code):
    with pytest.raises(Invalid) as refused:
        yard.ask(job_type, **more)
    assert refused.value.code == code


def test_what_is_named_and_is_not_there_is_refused_and_nothing_is_changed(yard):
    spec = yard.spec()
    nobody = "00000000-0000-4000-8000-000000000000"
    for more in ({"assigned_worker_uid": nobody}, {"plan_job_uid": nobody}, {"cloud_identity_uid": nobody}):
        with pytest.raises(NotFound):
            yard.ask("DEPLOY", spec, **more)
    assert yard.status(spec) == "DRAFT"


def test_a_plan_belongs_to_a_deploy_of_its_spec(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    with pytest.raises(Invalid):
        yard.ask("PLAN", spec, plan_job_uid=plan)
    with pytest.raises(Conflict):
        yard.ask("DEPLOY", yard.spec("other"), plan_job_uid=plan)


def test_an_identity_of_another_cloud_is_refused(yard):
    with pytest.raises(Invalid) as refused:
        yard.ask("PLAN", yard.spec(), cloud_identity_uid=yard.identity("aws").uid)
    assert refused.value.code == "infra_provider_mismatch"
