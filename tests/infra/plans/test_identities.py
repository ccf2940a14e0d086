"""A plan is applied, and what stands is destroyed, in the account that people have read of."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from quarterdeck.infra.clouds import binding, connecting
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.errors import Problem
from support import infra_rows as rows

ROLE = "arn:aws:iam::{0:012d}:role/{1}"


@pytest.fixture
def cloud(yard):
    """Makes verified identities by their accounts."""

    def made(account: int, name: str = "x") -> CloudIdentity:
        found = yard.identity()
        connected(yard, found, account, name)
        return found

    return made


def connected(yard, identity, account: int, name: str) -> None:
    kept = {"role_arn": ROLE.format(account, name), "account_id": f"{account:012d}"}
    yard.db.write_sync(
        lambda tx: tx.execute(update(CloudIdentity).where(CloudIdentity.id == identity.id).values(credentials=kept))
    )


def aws(yard, identity=None, **more):
    values = {"provider": "aws", "region": "eu-west-1", **more}
    return yard.spec(**values, **({"cloud_identity_id": identity.uid} if identity is not None else {}))


def edited(yard, spec, **values):
    document = {"project_name": spec.project_name, "environment_stage": "staging", "provider": "aws",
                "terraform_version": "1.11.4", "region": "eu-west-1", **values}  # fmt: skip
    yard.act(lambda tx: specs.change(tx, yard.access, spec.uid, document))


def now(yard, spec) -> Spec:
    return yard.db.read_sync(lambda tx: tx.get(Spec, spec.id))


def applied(yard, spec, resources: int = 2, **more) -> None:
    """A plan of it is applied, and the state names resources by then."""
    plan, worker = yard.planned(spec, **more), yard.enrolled(f"maker-{yard.db.ids.text(6)}")
    uid = yard.ask("DEPLOY", now(yard, spec), plan_job_uid=plan)
    assert worker.claim() == [uid]
    worker.phase(uid, "prepare", "init", "download", "apply")
    worker.end(uid)
    yard.wrote(spec, 3, resources=[rows.resource("a", count=resources)])


def test_a_plan_is_not_applied_with_another_identity_than_it_was_made_with(yard, cloud):
    first, second = cloud(1), cloud(2)
    spec = aws(yard, first)
    plan = yard.planned(spec)
    refused = yard.refused("DEPLOY", spec, plan_job_uid=plan, cloud_identity_uid=second.uid)
    assert refused == "plan_identity_changed"
    uid = yard.ask("DEPLOY", spec, plan_job_uid=plan, cloud_identity_uid=first.uid)
    assert yard.job(uid).cloud_identity_id == first.id


def test_a_plan_for_another_identity_than_the_specifications_is_applied_with_that(yard, cloud):
    first, second = cloud(1), cloud(2)
    spec, worker = aws(yard, first), yard.enrolled()
    uid = yard.ask("PLAN", spec, cloud_identity_uid=second.uid)
    worker.claim()
    worker.phase(uid, "prepare", "init", "plan")
    yard.hand_in(worker, uid)
    worker.say(uid, "plan", summary={"create": 1}, changes=[], sha256="a" * 64, size=10, serial=0, lineage="")
    worker.end(uid)
    deploy = yard.ask("DEPLOY", spec, plan_job_uid=uid)
    assert yard.job(deploy).cloud_identity_id == second.id
    assert yard.job(deploy).snapshot["cloud_identity_id"] == second.uid


def test_an_identity_that_was_connected_anew_voids_what_was_planned_with_it(yard, cloud):
    identity = cloud(1)
    spec = aws(yard, identity)
    plan = yard.planned(spec)
    assert yard.verdict(plan, spec).ok
    connected(yard, identity, 1, "admin")
    assert yard.verdict(plan, spec).code == "plan_identity_changed"
    assert yard.refused("DEPLOY", spec, plan_job_uid=plan) == "plan_identity_changed"


@pytest.mark.parametrize("change", ["role", "identity"])
def test_it_is_looked_at_again_when_a_runner_takes_the_apply(yard, cloud, change):
    identity, other = cloud(1), cloud(2)
    spec = aws(yard, identity)
    uid = yard.ask("DEPLOY", spec, plan_job_uid=yard.planned(spec))
    if change == "role":
        connected(yard, identity, 1, "admin")
    else:
        yard.db.write_sync(
            lambda tx: tx.execute(update(InfraJob).where(InfraJob.uid == uid).values(cloud_identity_id=other.id))
        )
    assert yard.enrolled().claim() == []
    assert (yard.job(uid).status, yard.job(uid).error_code) == ("FAILED", "plan_identity_changed")


def test_a_destruction_is_looked_at_again_when_a_runner_takes_it(yard, cloud):
    identity = cloud(1)
    spec = aws(yard, identity)
    applied(yard, spec)
    uid = yard.ask("DESTROY", now(yard, spec))
    connected(yard, identity, 1, "admin")
    assert yard.enrolled().claim() == []
    assert (yard.job(uid).status, yard.job(uid).error_code) == ("FAILED", "plan_identity_changed")


def test_what_stands_is_destroyed_as_it_was_applied_and_with_that_identity(yard, cloud):
    first, same = cloud(1), cloud(1, "other-role")
    spec = aws(yard, first)
    applied(yard, spec)
    hash_then = now(yard, spec).applied_hash
    edited(yard, spec, region="eu-north-1", cloud_identity_id=same.uid)
    uid = yard.ask("DESTROY", now(yard, spec))
    job = yard.job(uid)
    assert (job.snapshot["region"], job.configuration_hash) == ("eu-west-1", hash_then)
    assert (job.cloud_identity_id, job.snapshot["cloud_identity_id"]) == (first.id, first.uid)
    yard.cancel(uid)
    uid = yard.ask("DESTROY", now(yard, spec), cloud_identity_uid=same.uid)
    assert yard.job(uid).cloud_identity_id == same.id, "where the role is gone, that of the same account does it"


def test_nothing_is_destroyed_with_somebody_elses_account(yard, cloud):
    first, other, same = cloud(1), cloud(2), cloud(1, "third")
    spec = aws(yard, first)
    applied(yard, spec)
    for one in (other, same):
        assert yard.refused("DESTROY", now(yard, spec), cloud_identity_uid=one.uid) == "spec_identity_foreign"
    for job_type in ("PLAN", "DEPLOY"):
        assert yard.refused(job_type, now(yard, spec), cloud_identity_uid=other.uid) == "spec_account_held"


@pytest.mark.parametrize("target", ["other", None])
def test_a_specification_does_not_leave_the_account_that_it_has_resources_in(yard, cloud, target):
    first, other = cloud(1), cloud(2)
    spec = aws(yard, first)
    edited(yard, spec, cloud_identity_id=other.uid)
    edited(yard, spec, cloud_identity_id=first.uid)
    applied(yard, spec)
    with pytest.raises(Problem) as refused:
        edited(yard, spec, cloud_identity_id=other.uid if target else None)
    assert refused.value.code == "spec_account_held"
    edited(yard, spec, cloud_identity_id=cloud(1, "again").uid)


def test_an_identity_stays_while_what_was_made_with_it_stands(yard, cloud):
    first, same = cloud(1), cloud(1, "again")
    spec = aws(yard, first)
    applied(yard, spec)
    with pytest.raises(Problem) as refused:
        yard.act(connecting.connect, "aws", first.uid, {"role_arn": ROLE.format(2, "x")})
    assert refused.value.code == "spec_account_held"
    edited(yard, spec, cloud_identity_id=same.uid)
    with pytest.raises(Problem) as refused:
        yard.act(connecting.disconnect, "aws", first.uid)
    assert refused.value.code == "cloud_identity_in_use"
    assert "apply" in refused.value.hint
    worker, uid = yard.begin(now(yard, spec))
    yard.hand_in(worker, uid)
    worker.say(uid, "plan", summary={"no_op": 2}, changes=[], sha256="a" * 64, size=10, serial=3, lineage="one")
    worker.end(uid)
    deploy = yard.ask("DEPLOY", now(yard, spec), plan_job_uid=uid)
    worker.claim()
    worker.phase(deploy, "prepare", "apply")
    worker.end(deploy)
    yard.act(connecting.disconnect, "aws", first.uid)
    assert now(yard, spec).applied_identity_id == same.id


def test_after_a_destruction_nothing_holds_the_account(yard, cloud):
    first, other = cloud(1), cloud(2)
    spec, worker = aws(yard, first), yard.enrolled()
    applied(yard, spec)
    uid = yard.ask("DESTROY", now(yard, spec))
    worker.claim()
    worker.phase(uid, "prepare", "apply")
    worker.end(uid)
    yard.wrote(spec, 9)
    assert now(yard, spec).applied_account is None
    edited(yard, spec, cloud_identity_id=other.uid)
    yard.act(connecting.disconnect, "aws", first.uid)


def bound(yard, identity, *zones) -> None:
    yard.act(binding.bind, identity.uid, [one.uid for one in zones])


def test_an_identity_that_is_bound_to_zones_is_used_in_those_alone(yard, cloud):
    there, here = yard.zone("production"), yard.zone("play")
    identity, free = cloud(1), cloud(2)
    bound(yard, identity, there)
    with pytest.raises(Problem) as refused:
        aws(yard, identity, zone_id=here.uid)
    assert refused.value.code == "cloud_identity_not_here"
    with pytest.raises(Problem) as refused:
        aws(yard, identity)
    assert refused.value.code == "cloud_identity_not_here", "outside of every zone, too"
    spec = aws(yard, free, zone_id=here.uid)
    for job_type in ("PLAN", "DEPLOY"):
        assert yard.refused(job_type, spec, cloud_identity_uid=identity.uid) == "cloud_identity_not_here"
    with pytest.raises(Problem) as refused:
        edited(yard, spec, cloud_identity_id=identity.uid)
    assert refused.value.code == "cloud_identity_not_here"
    mine = yard.spec("mine", provider="aws", region="eu-west-1", zone_id=there.uid, cloud_identity_id=identity.uid)
    assert yard.ask("PLAN", mine)
    with pytest.raises(Problem) as refused:
        edited(yard, mine, zone_id=here.uid)
    assert refused.value.code == "cloud_identity_not_here"
    bound(yard, identity)
    assert yard.ask("PLAN", spec, cloud_identity_uid=identity.uid)


def test_an_identity_that_others_use_is_not_taken_from_them(yard, cloud):
    there, here, identity = yard.zone("production"), yard.zone("play"), cloud(1)
    aws(yard, identity, zone_id=here.uid)
    with pytest.raises(Problem) as refused:
        bound(yard, identity, there)
    assert refused.value.code == "cloud_identity_in_use"
    bound(yard, identity, there, here)
    with pytest.raises(Problem) as refused:
        yard.act(binding.bind, identity.uid, ["01890a5d-ac96-774b-bcce-b302099a8057"])
    assert refused.value.code == "zone_not_found"


def test_a_binding_that_came_later_is_looked_at_when_a_runner_takes_the_job(yard, cloud):
    there, here, identity = yard.zone("production"), yard.zone("play"), cloud(1)
    spec = aws(yard, zone_id=here.uid)
    uid = yard.ask("PLAN", spec, cloud_identity_uid=identity.uid)
    bound(yard, identity, there)
    assert yard.enrolled().claim() == []
    assert (yard.job(uid).status, yard.job(uid).error_code) == ("FAILED", "cloud_identity_not_here")
