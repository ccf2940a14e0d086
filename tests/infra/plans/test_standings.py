"""What a specification tells of what stands: its components, its cost, and what is done once more."""

from __future__ import annotations

import pytest

from quarterdeck.infra.specs.model import Spec
from quarterdeck.kernel.errors import Problem


def now(yard, spec) -> Spec:
    return yard.db.read_sync(lambda tx: tx.get(Spec, spec.id))


def queues(yard, spec) -> dict[str, str]:
    return {name: one["status"] for name, one in now(yard, spec).components.get("queues", {}).items()}


def deploy(yard, spec, worker, *, state: str = "succeeded", outputs: bool = True, **more) -> str:
    uid = yard.ask("DEPLOY", now(yard, spec), plan_job_uid=yard.planned(now(yard, spec), **more))
    assert worker.claim() == [uid]
    worker.phase(uid, "prepare", "init", "apply")
    if outputs:
        worker.say(uid, "applied", outputs={}, cluster={})
    worker.end(uid, state)
    return uid


def test_only_what_was_applied_is_active(yard):
    spec, worker = yard.spec(queues=[{"name": "mails"}]), yard.enrolled()
    uid = yard.ask("DEPLOY", spec, plan_job_uid=yard.planned(spec))
    worker.claim()
    worker.phase(uid, "prepare", "init", "apply")
    yard.change(spec, queues=[{"name": "mails"}, {"name": "declared-since"}])
    worker.say(uid, "applied", outputs={}, cluster={})
    worker.end(uid)
    assert queues(yard, spec) == {"mails": "ACTIVE"}


def test_components_stand_as_the_jobs_of_their_specification_do(yard):
    spec, worker = yard.spec(queues=[{"name": "mails"}]), yard.enrolled()
    uid = yard.ask("DEPLOY", spec, plan_job_uid=yard.planned(spec))
    worker.claim()
    worker.phase(uid, "prepare")
    assert queues(yard, spec) == {"mails": "CREATING"}
    worker.phase(uid, "apply")
    worker.say(uid, "applied", outputs={}, cluster={})
    worker.end(uid)
    yard.change(spec, queues=[{"name": "mails"}, {"name": "work"}])
    uid = yard.ask("DEPLOY", now(yard, spec), plan_job_uid=yard.planned(now(yard, spec)))
    worker.claim()
    worker.phase(uid, "prepare")
    assert queues(yard, spec) == {"mails": "UPDATING", "work": "CREATING"}
    yard.cancel(uid)
    assert queues(yard, spec) == {"mails": "ACTIVE"}, "nothing was changed"
    worker.held.clear()
    yard.lapse()
    deploy(yard, spec, yard.enrolled("second"), state="failed", outputs=False)
    assert queues(yard, spec) == {"mails": "FAILED", "work": "FAILED"}
    uid, third = yard.ask("DESTROY", now(yard, spec)), yard.enrolled("third")
    third.claim()
    third.phase(uid, "prepare", "apply")
    assert queues(yard, spec) == {"mails": "DESTROYING", "work": "DESTROYING"}
    third.end(uid)
    assert queues(yard, spec) == {"mails": "DESTROYED", "work": "DESTROYED"}
    assert now(yard, spec).outputs == {}


def test_a_month_of_a_specification_costs_what_its_newest_plan_says(yard):
    spec = yard.spec()
    assert spec.estimated_monthly_cost is None
    yard.planned(spec, cost={"total_monthly": 412.6})
    assert now(yard, spec).estimated_monthly_cost == 412.6
    yard.planned(spec)
    assert now(yard, spec).estimated_monthly_cost == 412.6, "a runner that cannot tell takes nothing back"
    uid, worker = yard.ask("DESTROY", now(yard, spec)), yard.enrolled()
    worker.claim()
    worker.phase(uid, "prepare", "apply")
    worker.end(uid)
    assert now(yard, spec).estimated_monthly_cost is None


@pytest.mark.parametrize("cost", [{"total_monthly": "much"}, {"total_monthly": True}, {}, {"total_monthly": [1]}])
def test_a_cost_that_is_no_number_is_none(yard, cost):
    spec = yard.spec()
    yard.planned(spec, cost=cost)
    assert now(yard, spec).estimated_monthly_cost is None


def test_the_cost_of_what_has_changed_since_is_not_told(yard):
    spec = yard.spec()
    worker, uid = yard.begin(spec)
    yard.change(spec, region="there")
    yard.hand_in(worker, uid)
    worker.say(uid, "plan", summary={"create": 1}, changes=[], sha256="a" * 64, size=10, serial=0, lineage="",
               cost={"total_monthly": 5.0})  # fmt: skip
    worker.end(uid)
    assert now(yard, spec).estimated_monthly_cost is None


@pytest.mark.parametrize("job_type", ["PLAN", "DEPLOY", "DESTROY"])
def test_a_job_is_done_once_more_of_the_same_snapshot_or_not_at_all(yard, job_type):
    spec, worker = yard.spec(), yard.enrolled()
    uid = yard.ask(job_type, spec)
    worker.claim()
    worker.end(uid, "failed", error_message="no")
    again = yard.rerun(uid)
    told = ("region", "configuration_hash", "queues")
    assert [yard.job(again).snapshot.get(one) for one in told] == [yard.job(uid).snapshot.get(one) for one in told]
    assert yard.job(again).configuration_hash == yard.job(uid).configuration_hash
    yard.cancel(again)
    yard.change(spec, region="there")
    with pytest.raises(Problem) as refused:
        yard.rerun(uid)
    assert refused.value.code == "infra_rerun_outdated"
    yard.change(spec)
    assert yard.rerun(uid), "changed back, it is the same"
