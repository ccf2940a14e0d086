"""A plan is applied exactly as it was read, once, and on the state that it was made for; else it is said what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quarterdeck.infra.artefacts.artefacts import Artefacts
from quarterdeck.infra.artefacts.local import LocalStore
from quarterdeck.infra.execution import planning, reviewing
from quarterdeck.infra.plans import law
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import contents, versions
from quarterdeck.infra.work import creating
from support import infra_rows as rows
from support.plan_yard import REPORT

READ = reviewing.digest({"create": 1}, [], "plan")


def test_a_plan_that_still_fits_is_applied_once(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    assert yard.verdict(plan, spec) == law.GOOD
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    worker = yard.enrolled()
    assert worker.claim() == [uid]
    assert worker.order(uid)["plan"] == {"job": plan, "sha256": "a" * 64, "size": 10, "reviewed": READ}
    worker.phase(uid, "prepare", "init", "download")
    assert yard.kept(plan).applied_at is None, "nothing was changed yet"
    worker.phase(uid, "apply")
    assert yard.kept(plan).applied_by_id == yard.job(uid).id
    assert yard.verdict(plan, spec).code == "plan_applied"
    worker.end(uid)
    assert yard.refused("DEPLOY", spec, plan_job_uid=plan) == "plan_applied"


def test_a_plan_is_used_up_by_an_apply_that_failed_too(yard):
    spec, worker = yard.spec(), yard.enrolled()
    plan = yard.planned(spec)
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    worker.claim()
    worker.phase(uid, "prepare", "init", "apply")
    worker.end(uid, "failed", error_message="quota")
    assert yard.refused("DEPLOY", spec, plan_job_uid=plan) == "plan_applied"


def test_the_plan_of_an_apply_that_was_withdrawn_may_still_be_applied(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    yard.cancel(yard.ask("DEPLOY", spec, plan_job_uid=plan))
    assert yard.verdict(plan, spec).ok


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"artefact_key": None}, "plan_artefact_missing"),
        ({"artefact_sha256": None}, "plan_artefact_missing"),
        ({"fence": 99}, "plan_artefact_foreign"),
        ({"fence": None}, "plan_artefact_foreign"),
        ({"summary": {}}, "plan_untold"),
        ({"state_serial": 7, "state_lineage": "one"}, "plan_state_moved"),
    ],
)
def test_a_plan_of_which_something_is_missing_is_refused_when_asked_and_when_ordered(yard, values, code):
    spec, worker = yard.spec(), yard.enrolled()
    plan = yard.planned(spec)
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    yard.spoil(**values)
    assert worker.claim() == []
    assert (yard.job(uid).status, yard.job(uid).error_code) == ("FAILED", code)
    found = yard.verdict(plan, spec)
    assert (found.ok, found.code) == (False, code)
    assert found.reason
    assert found.hint
    assert yard.refused("DEPLOY", spec, plan_job_uid=plan) == code


def test_a_state_that_moved_on_makes_a_plan_of_before_worthless(yard):
    spec = yard.spec()
    first = yard.planned(spec)
    yard.wrote(spec, 3)
    assert yard.verdict(first, spec).code == "plan_state_moved"
    second = yard.planned(spec)
    assert yard.verdict(second, spec).ok
    uid = yard.ask("DEPLOY", spec, plan_job_uid=second)
    yard.cancel(uid)
    yard.wrote(spec, 4)
    found = yard.verdict(second, spec)
    assert "serial 3" in found.reason
    assert "serial 4" in found.reason


def test_a_configuration_that_changed_makes_a_plan_of_before_worthless(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    yard.change(spec, region="there")
    found = yard.verdict(plan, spec)
    assert found.code == "plan_outdated"
    assert spec.configuration_hash[:12] in found.reason
    yard.change(spec)
    assert yard.verdict(plan, spec).ok, "changed back, it is what was planned"


def test_a_plan_is_good_for_a_week(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    yard.clock.advance(law.GOOD_FOR.total_seconds())
    assert yard.verdict(plan, spec).ok
    yard.clock.advance(1)
    assert yard.verdict(plan, spec).code == "plan_too_old"


def test_what_is_no_plan_of_this_configuration_is_refused(yard):
    spec, other = yard.spec(), yard.spec("shop")
    plan = yard.planned(other)
    assert yard.refused("DEPLOY", spec, plan_job_uid=plan) == "plan_of_another"
    worker, waiting = yard.begin(spec)
    assert yard.refused("DEPLOY", spec, plan_job_uid=waiting) == "plan_not_ready"
    worker.end(waiting, "failed", error_message="no provider")
    assert yard.refused("DEPLOY", spec, plan_job_uid=waiting) == "plan_not_ready"
    deploy = yard.ask("DEPLOY", spec)
    assert yard.refused("DEPLOY", spec, plan_job_uid=deploy) == "plan_not_a_plan"
    yard.cancel(deploy)
    assert yard.refused("DEPLOY", spec, plan_job_uid="01890a5d-ac96-774b-bcce-b302099a8057") == "infra_job_not_found"


def test_of_another_organization_no_plan_is_found(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    theirs = yard.spec("theirs", place=yard.elsewhere())
    with pytest.raises(Exception, match="Job not found"):
        yard.act(
            lambda tx: yard_create(tx, theirs, plan),
            place=theirs.organization_id,
        )


def yard_create(tx, spec, plan):
    from quarterdeck.infra.work import creating
    from quarterdeck.infra.work.asking import Asked

    return creating.create(tx, Asked(job_type="DEPLOY", spec=spec, plan_job_uid=plan))


def test_a_saved_plan_that_is_gone_from_its_disk_is_not_applied(yard, tmp_path):
    spec = yard.spec()
    plan = yard.planned(spec)
    store = LocalStore(tmp_path / "artefacts")
    yard.db.parts = (Artefacts(store, yard.db.vault),)
    assert yard.verdict(plan, spec).code == "plan_artefact_missing"
    draft = store.incoming / "draft"
    draft.write_bytes(b"x")
    store.put(yard.kept(plan).artefact_key, draft)
    assert yard.verdict(plan, spec).ok


def test_a_look_for_drift_is_nothing_to_apply(yard):
    spec, worker = yard.spec(), yard.enrolled()
    uid = yard.ask("PLAN", spec, read_only=True)
    worker.claim()
    worker.phase(uid, "prepare", "init", "plan")
    worker.say(uid, "plan", summary={}, changes=[], sha256="a" * 64, size=1, serial=0, lineage="", drifted=0)
    worker.end(uid)
    assert yard.verdict(uid, spec).code == "plan_not_a_plan"


def test_an_attempt_that_was_given_up_hands_in_nothing_for_the_next(yard):
    spec = yard.spec()
    first, uid = yard.begin(spec)
    yard.hand_in(first, uid, "a" * 64)
    first.say(uid, "plan", summary={"delete": 9}, changes=[], sha256="a" * 64, size=10, serial=0, lineage="")
    yard.lapse()
    second = yard.enrolled("second")
    assert second.claim() == [uid]
    second.phase(uid, "prepare", "init", "plan")
    second.say(uid, "plan", summary={"create": 1}, changes=[], sha256="a" * 64, size=10, serial=0, lineage="")
    second.end(uid)
    assert yard.kept(uid).summary["create"] == 1
    assert yard.verdict(uid, spec).code == "plan_artefact_missing"
    assert yard.clock.now() - yard.kept(uid).created_at > timedelta(0)


def foreign_plan(yard, spec, runner):
    uid = yard.ask("PLAN", spec)
    assert runner.claim().uid == uid
    runner.report(uid, "PROCESSING", phase="terraform_plan")
    yard.upload(uid, yard.carried(uid).fence)
    runner.report(uid, "PROCESSING", plan_completed=True, plan_result={"resource_changes": []})
    runner.report(uid, "SUCCESS")
    return uid


@pytest.mark.parametrize("maker", ["foreign", "enrolled"])
def test_the_servers_own_worker_is_given_no_plan_that_a_runner_made(yard, maker):
    """It carries its own configuration, which would run on the server as the server."""
    spec, runner, own = yard.spec(), yard.runner(), yard.own()
    plan = foreign_plan(yard, spec, runner) if maker == "foreign" else yard.planned(spec)
    assert yard.verdict(plan, spec).ok
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    assert own.claim() == []
    yard.pin(uid, runner.worker.uid)
    yard.pin(uid, None)
    assert own.claim() == []
    assert yard.enrolled().claim() == [uid], "whoever compares it takes it"


def test_the_server_applies_what_it_has_planned_itself(yard):
    spec, own = yard.spec(), yard.own()
    uid = yard.ask("PLAN", spec)
    assert own.claim() == [uid]
    own.phase(uid, "prepare", "init", "plan")
    yard.hand_in(own, uid)
    own.say(uid, "plan", **REPORT, uploaded=True)
    own.end(uid)
    applied = yard.ask("DEPLOY", spec, plan_job_uid=uid)
    assert own.claim() == [applied]


def test_a_plan_of_a_runner_that_came_to_the_servers_own_worker_is_refused_there(yard, monkeypatch):
    spec, own = yard.spec(), yard.own()
    plan = foreign_plan(yard, spec, yard.runner())
    monkeypatch.setattr(creating, "needed", lambda *_: frozenset({"infra"}))
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    assert own.claim() == []
    assert (yard.job(uid).status, yard.job(uid).error_code) == ("FAILED", "infra_needs_runner")


def test_a_runner_that_works_for_all_takes_no_plan_of_a_runner_of_one_organization(yard):
    spec, pool = yard.spec(), yard.cloud_runner()
    plan = foreign_plan(yard, spec, yard.runner())
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    assert pool.claim() is None
    assert (yard.job(uid).status, yard.job(uid).error_code) == ("FAILED", "infra_needs_runner")
    theirs = foreign_plan(yard, spec, pool)
    uid = yard.ask("DEPLOY", spec, plan_job_uid=theirs)
    assert pool.claim().uid == uid


def test_a_plan_of_which_nobody_knows_what_was_read_is_not_applied(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    yard.spoil(reviewed=None)
    assert yard.verdict(plan, spec).code == "plan_untold"


def test_the_changes_that_a_foreign_runner_told_are_what_its_plan_is_compared_by(yard):
    spec = yard.spec()
    plan = foreign_plan(yard, spec, yard.runner())
    nothing = planning.read(b'{"resource_changes": []}')
    assert yard.kept(plan).reviewed == reviewing.digest(nothing.summary, [], "changes")


@pytest.mark.parametrize("told", [True, False])
def test_a_plan_of_a_state_that_moved_while_it_was_made_is_not_applied(yard, told):
    """Whether its runner says which state it read, or says nothing: it could read the one that it began with."""
    spec = yard.spec()
    yard.wrote(spec, 3)
    worker, uid = yard.begin(spec)
    yard.hand_in(worker, uid)

    def rolled_back(tx):
        draft = contents.sealed(tx.vault, tx.ids.uid(), contents.read(rows.state(4)))
        versions.push(tx, tx.get(Spec, spec.id), "It was wrong.", draft)

    yard.act(rolled_back)
    basis = {"serial": 4, "lineage": "one"} if told else {}
    worker.say(uid, "plan", summary={"create": 1}, changes=[], sha256="a" * 64, size=10, **basis)
    worker.end(uid)
    assert yard.verdict(uid, spec).code == "plan_state_moved"


def test_a_plan_whose_runner_says_nothing_of_its_state_is_of_the_one_that_it_could_read(yard):
    spec = yard.spec()
    yard.wrote(spec, 3)
    plan = foreign_plan(yard, spec, yard.runner())
    assert (yard.kept(plan).state_serial, yard.kept(plan).state_lineage) == (3, "one")
    assert yard.verdict(plan, spec).ok
