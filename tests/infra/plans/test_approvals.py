"""Who has to agree before something is applied or destroyed, and whose word counts."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from quarterdeck.access import grants
from quarterdeck.access.model import Role
from quarterdeck.identity.model import User
from quarterdeck.infra.plans import approvals, waiting
from quarterdeck.infra.plans.model import Approval
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work import reading
from quarterdeck.infra.work.model import InfraJob
from support import infra_rows as rows


@pytest.fixture
def people(yard):
    return [yard.person(name, "organization:developer") for name in ("bob", "cy", "dee")]


def test_where_nobody_has_to_agree_nobody_is_asked(yard):
    spec = yard.spec(zone_id=yard.zone().uid)
    assert yard.verdict(yard.planned(spec), spec).ok
    assert yard.ask("DEPLOY", spec)


def test_a_plan_is_applied_once_enough_others_have_agreed(yard, people):
    bob, cy, _ = people
    spec = yard.spec(zone_id=yard.zone(approvals=2).uid)
    plan = yard.planned(spec)
    assert yard.refused("DEPLOY", spec, plan_job_uid=plan) == "approvals_missing"
    assert yard.refused(plan, "approved", yard.ada) == "approval_own"
    yard.say(plan, "approved", bob, "Looks right.")
    assert yard.refused(plan, "approved", bob) == "approval_given"
    assert "1 of 2" in yard.verdict(plan, spec).reason
    yard.say(plan, "approved", cy)
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    assert yard.enrolled().claim() == [uid]
    assert yard.words(plan)[-2:] == ["approved", "approved"]


def test_whoever_applies_a_plan_does_not_count_among_those_who_agreed(yard, people):
    bob, cy, _ = people
    spec = yard.spec(zone_id=yard.zone(approvals=1).uid)
    plan = yard.planned(spec)
    yard.say(plan, "approved", bob)
    assert yard.verdict(plan, spec).ok
    assert yard.verdict(plan, spec, by=bob).code == "approvals_missing"
    assert yard.refused("DEPLOY", spec, plan_job_uid=plan, by=bob) == "approvals_missing"
    yard.say(plan, "approved", cy)
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan, by=bob)
    assert yard.enrolled().claim() == [uid], "it is asked again when a runner gets it"


def test_nothing_is_applied_without_a_plan_where_somebody_has_to_agree(yard):
    spec = yard.spec(zone_id=yard.zone(approvals=1).uid)
    assert yard.refused("DEPLOY", spec) == "plan_required"


def test_one_who_says_no_closes_a_plan(yard, people):
    bob, cy, dee = people
    spec = yard.spec(zone_id=yard.zone(approvals=1).uid)
    plan = yard.planned(spec)
    yard.say(plan, "approved", bob)
    yard.say(plan, "rejected", cy, "It deletes the database.")
    assert yard.verdict(plan, spec).code == "plan_rejected"
    assert yard.refused(plan, "approved", dee) == "plan_rejected"
    assert yard.refused("DEPLOY", spec, plan_job_uid=plan) == "plan_rejected"
    assert yard.verdict(yard.planned(spec), spec).code == "approvals_missing", "another plan is asked about anew"


def test_a_no_counts_in_a_zone_that_asks_nobody_and_until_the_apply_begins(yard, people):
    spec = yard.spec()
    plan = yard.planned(spec)
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    yard.say(plan, "rejected", people[0])
    assert yard.enrolled().claim() == []
    assert (yard.job(uid).status, yard.job(uid).error_code) == ("FAILED", "plan_rejected")


def test_who_asked_may_take_their_own_plan_back(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    yard.say(plan, "rejected", yard.ada)
    assert yard.verdict(plan, spec).code == "plan_rejected"


def test_a_configuration_that_changed_voids_what_was_said(yard, people):
    bob, cy, _ = people
    zone = yard.zone(approvals=1)
    spec = yard.spec(zone_id=zone.uid)
    plan = yard.planned(spec)
    yard.say(plan, "approved", bob)
    yard.change(spec, region="there")
    assert yard.verdict(plan, spec).code == "plan_outdated"
    assert yard.refused(plan, "approved", cy) == "plan_outdated"


def test_a_policy_that_is_raised_later_counts(yard, people):
    bob, cy, _ = people
    zone = yard.zone(approvals=1)
    spec = yard.spec(zone_id=zone.uid)
    plan = yard.planned(spec)
    yard.say(plan, "approved", bob)
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    yard.policy(zone, approvals=2)
    assert yard.enrolled().claim() == []
    assert yard.job(uid).error_code == "approvals_missing"
    yard.say(plan, "approved", cy)
    assert yard.verdict(plan, spec).ok


def test_the_zone_that_asks_for_more_counts_where_a_configuration_was_moved(yard):
    strict, lax = yard.zone("strict", approvals=1), yard.zone("lax")
    spec = yard.spec(zone_id=strict.uid)
    plan = yard.planned(spec)
    for there, planned in ((lax, strict), (strict, lax)):
        yard.db.write_sync(
            lambda tx, here=there, then=planned: (
                tx.execute(update(Spec).values(zone_id=here.id)),
                tx.execute(update(InfraJob).values(zone_id=then.id)),
            )
        )
        assert yard.verdict(plan, spec).code == "approvals_missing"
        assert yard.refused("DEPLOY", spec, plan_job_uid=plan) == "approvals_missing"


def test_what_is_not_asked_about_cannot_be_agreed_to(yard, people):
    bob, *_ = people
    spec = yard.spec()
    worker, running = yard.begin(spec)
    assert yard.refused(running, "approved", bob) == "approval_not_asked"
    worker.end(running, "failed", error_message="x")
    assert yard.refused(running, "approved", bob) == "approval_not_asked"
    deploy = yard.ask("DEPLOY", spec)
    assert yard.refused(deploy, "approved", bob) == "approval_not_asked"
    yard.cancel(deploy)
    plan = yard.planned(spec)
    applied = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    taker = yard.enrolled("taker")
    taker.claim()
    taker.phase(applied, "prepare", "init", "apply")
    assert yard.refused(plan, "rejected", bob) == "plan_applied"
    taker.end(applied)
    destroy = yard.ask("DESTROY", spec)
    assert yard.refused(destroy, "rejected", bob) == "approval_not_asked", "nobody has to agree to it"
    assert yard.db.read_sync(lambda tx: tx.execute(select(func.count(Approval.id))).scalar_one()) == 0


def test_a_destruction_waits_until_enough_have_agreed(yard, people):
    bob, cy, _ = people
    spec = yard.spec(zone_id=yard.zone(destroy_approvals=2).uid)
    uid, worker = yard.ask("DESTROY", spec), yard.enrolled()
    assert yard.job(uid).ledger_id is None
    assert worker.claim() == []
    assert yard.runner().claim() is None
    assert yard.refused(uid, "approved", yard.ada) == "approval_own"
    yard.say(uid, "approved", bob)
    assert worker.claim() == []
    yard.say(uid, "approved", cy)
    assert worker.claim() == [uid]
    worker.phase(uid, "prepare", "init", "plan", "apply")
    worker.end(uid)
    assert yard.status(spec) == "DESTROYED"


def test_a_destruction_that_somebody_refuses_is_over_and_the_configuration_stands(yard, people):
    bob, cy, _ = people
    spec = yard.spec(zone_id=yard.zone(destroy_approvals=1).uid)
    before = yard.status(spec)
    uid = yard.ask("DESTROY", spec)
    yard.say(uid, "rejected", bob, "It is in use.")
    job = yard.job(uid)
    assert job.status == "CANCELLED"
    assert "It is in use." in job.error_message
    assert yard.status(spec) == before
    assert yard.refused(uid, "approved", cy) == "approval_not_asked"
    assert yard.enrolled().claim() == []


def test_a_destruction_of_what_has_changed_since_is_not_agreed_to(yard, people):
    spec = yard.spec(zone_id=yard.zone(destroy_approvals=1).uid)
    uid = yard.ask("DESTROY", spec)
    yard.change(spec, region="there")
    assert yard.refused(uid, "approved", people[0]) == "plan_outdated"
    yard.cancel(uid)
    assert yard.job(uid).status == "CANCELLED"


def test_a_policy_that_is_raised_after_the_release_of_a_destruction_counts_when_it_is_claimed(yard, people):
    zone = yard.zone(destroy_approvals=1)
    spec = yard.spec(zone_id=zone.uid)
    uid = yard.ask("DESTROY", spec)
    yard.say(uid, "approved", people[0])
    yard.policy(zone, destroy_approvals=2)
    assert yard.enrolled().claim() == []
    assert (yard.job(uid).status, yard.job(uid).error_code) == ("FAILED", "approvals_missing")


def test_a_destruction_is_agreed_to_for_what_the_state_held_when_it_was_asked_for(yard, people):
    bob, cy, dee = people
    spec = yard.spec(zone_id=yard.zone(destroy_approvals=2).uid)
    yard.wrote(spec, 3, resources=[rows.resource("volume")])
    uid, worker = yard.ask("DESTROY", spec), yard.enrolled()
    yard.say(uid, "approved", bob)
    yard.wrote(spec, 4, resources=[rows.resource("volume", count=2)])
    assert yard.refused(uid, "approved", cy) == "plan_state_moved"
    found = yard.act(lambda tx: approvals.verdict(tx, reading.find(tx, uid)))
    assert (found.ok, found.code) == (False, "plan_state_moved")
    assert yard.act(lambda tx: approvals.needed(tx, reading.find(tx, uid)).given) == 0
    assert worker.claim() == []
    yard.cancel(uid)
    again = yard.ask("DESTROY", spec)
    yard.say(again, "approved", cy)
    yard.say(again, "approved", dee)
    assert worker.claim() == [again]


def test_a_destruction_that_was_agreed_to_is_not_begun_once_the_state_has_moved_on(yard, people):
    spec = yard.spec(zone_id=yard.zone(destroy_approvals=1).uid)
    yard.wrote(spec, 3, resources=[rows.resource("volume")])
    uid = yard.ask("DESTROY", spec)
    yard.say(uid, "approved", people[0])
    yard.wrote(spec, 4, resources=[rows.resource("volume", count=2)])
    assert yard.enrolled().claim() == []
    assert (yard.job(uid).status, yard.job(uid).error_code) == ("FAILED", "plan_state_moved")


def test_a_destruction_may_be_refused_whatever_has_moved(yard, people):
    spec = yard.spec(zone_id=yard.zone(destroy_approvals=1).uid)
    uid = yard.ask("DESTROY", spec)
    yard.wrote(spec, 1)
    yard.say(uid, "rejected", people[0])
    assert yard.job(uid).status == "CANCELLED"


@pytest.mark.parametrize("how", ["role", "account", "permission"])
def test_the_word_of_whoever_may_not_agree_any_more_counts_no_more(yard, people, how):
    bob, *_ = people
    spec = yard.spec(zone_id=yard.zone(approvals=1).uid)
    plan = yard.planned(spec)
    yard.say(plan, "approved", bob)
    assert yard.verdict(plan, spec).ok
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    if how == "role":
        yard.act(grants.take, yard.access, bob.id, yard.organization.id, "organization:developer")
    elif how == "account":
        yard.db.write_sync(lambda tx: tx.execute(update(User).where(User.id == bob.id).values(active=False)))
    else:  # the role was edited, and carries it no more
        yard.db.write_sync(
            lambda tx: tx.execute(update(Role).where(Role.key == "organization:developer").values(edited_at=tx.now))
        )
    found = yard.verdict(plan, spec)
    assert (found.code, "0 of 1" in found.reason) == ("approvals_missing", True)
    assert yard.enrolled().claim() == []
    assert yard.job(uid).error_code == "approvals_missing"


def test_the_word_of_a_role_in_a_single_project_or_elsewhere_does_not_count(yard, people):
    bob, *_ = people
    spec = yard.spec(zone_id=yard.zone(approvals=1).uid)
    plan = yard.planned(spec)
    yard.say(plan, "approved", bob)
    theirs = yard.elsewhere()
    yard.act(grants.take, yard.access, bob.id, yard.organization.id, "organization:developer")
    yard.act(grants.give, yard.access, bob.id, theirs, "organization:developer")
    assert yard.verdict(plan, spec).code == "approvals_missing"


def test_a_plan_of_before_a_destruction_asks_nobody(yard):
    def asked() -> list[str]:
        return [job.uid for job, _ in yard.act(lambda tx: list(waiting.waiting(tx, 10)))]

    zone = yard.zone()
    spec = yard.spec(zone_id=zone.uid)
    plan = yard.planned(spec)
    destroy = yard.ask("DESTROY", spec)
    yard.policy(zone, approvals=1)
    assert asked() == [], "it is being destroyed"
    yard.cancel(destroy)
    assert asked() == [plan]
    uid, worker = yard.ask("DESTROY", spec), yard.enrolled()
    worker.claim()
    worker.phase(uid, "prepare", "apply")
    worker.end(uid)
    assert asked() == []
    again = yard.planned(spec)
    assert asked() == [again], "one that would make it anew is asked about"


def test_a_policy_that_was_lowered_since_still_counts_for_what_was_asked_for_before(yard, people):
    bob, cy, _ = people
    zone = yard.zone(approvals=2, destroy_approvals=1)
    spec = yard.spec(zone_id=zone.uid)
    plan = yard.planned(spec)
    yard.say(plan, "approved", bob)
    yard.policy(zone, approvals=0, destroy_approvals=0)
    assert yard.verdict(plan, spec).code == "approvals_missing"
    assert [job.uid for job, _ in yard.act(lambda tx: list(waiting.waiting(tx, 10)))] == [plan]
    yard.say(plan, "approved", cy)
    assert yard.verdict(plan, spec).ok
    assert yard.verdict(yard.planned(spec), spec).ok, "the next plan is asked for by the policy as it is"
