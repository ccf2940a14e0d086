"""What runners may say of which job, and what is kept of it."""

from __future__ import annotations

import msgspec
import pytest

from quarterdeck.infra.plans import plans
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import states
from quarterdeck.infra.work import metadata
from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Conflict, Invalid


def held(yard, job_type="PLAN", **more):
    spec, runner = yard.spec(), yard.runner()
    uid = yard.ask(job_type, spec, **more)
    assert runner.claim().uid == uid
    return spec, runner, uid


def not_held(runner, uid, status="SUCCESS"):
    with pytest.raises(Conflict) as refused:
        runner.report(uid, status)
    assert refused.value.code == "infra_job_not_held"


def test_only_the_holder_reports(yard):
    _, runner, uid = held(yard)
    other = yard.runner("rack-2")
    for status in ("PROCESSING", "SUCCESS", "FAILED", "CANCELLED"):
        not_held(other, uid, status)
    assert yard.job(uid).status == "CLAIMED"
    waiting = yard.ask("PLAN", yard.spec("b"))
    not_held(runner, waiting)
    runner.report(uid, "SUCCESS")
    not_held(other, uid)


@pytest.mark.parametrize(
    ("status", "code"), [(None, "infra_status_required"), ("", "infra_status_required"),
                         ("QUEUED", "infra_status_unknown"), ("success", "infra_status_unknown")],
)  # fmt: skip
def test_a_status_that_no_runner_reports_is_refused(yard, status, code):
    _, runner, uid = held(yard)
    with pytest.raises(Invalid) as refused:
        runner.report(uid, status)
    assert refused.value.code == code


def test_a_late_report_changes_nothing_and_is_kept_beside(yard):
    spec, runner, uid = held(yard, "DEPLOY")
    runner.report(uid, "PROCESSING")
    yard.cancel(uid)
    assert (yard.job(uid).status, yard.status(spec)) == ("CANCELLED", "FAILED")
    assert runner.report(uid, "PROCESSING", progress="on") is False
    assert runner.report(uid, "SUCCESS", outputs={"url": "x", "api_token": "geheim"}) is False
    job = yard.job(uid)
    assert (job.status, job.orphan_risk, yard.status(spec)) == ("CANCELLED", True, "FAILED")
    late = job.execution_metadata["late_report"]
    assert late["status"] == "SUCCESS"
    assert late["execution_metadata"] == {"outputs": {"url": "x", "api_token": "****"}}
    assert job.execution_metadata["orphan_risk"] is True
    assert yard.carried(uid).state == "succeeded"
    assert runner.report(uid, "FAILED") is False
    assert yard.job(uid).execution_metadata["late_report"]["status"] == "SUCCESS"


def test_a_terminal_report_that_is_repeated_is_no_news(yard):
    _, runner, uid = held(yard)
    assert runner.report(uid, "SUCCESS") is True
    before = yard.job(uid).execution_metadata
    assert runner.report(uid, "SUCCESS") is False
    assert yard.job(uid).execution_metadata == before


def test_metadata_is_merged_shallowly_masked_and_bounded(yard):
    _, runner, uid = held(yard)
    runner.report(uid, "PROCESSING", a={"x": 1}, b=1, argocd_admin_password="geheim", nested={"list": [{"token": "t"}]})
    runner.report(uid, "PROCESSING", a={"y": 2})
    assert yard.job(uid).execution_metadata == {
        "a": {"y": 2}, "b": 1, "argocd_admin_password": "****", "nested": {"list": [{"token": "****"}]},
    }  # fmt: skip
    for wrong in (
        {"blob": "x" * metadata.MOST}, {"deep": _deep(40)}, {"number": float("inf")},
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            runner.report(uid, "PROCESSING", **wrong)
        assert refused.value.code == ("infra_metadata_too_large" if "blob" in wrong else "infra_metadata_invalid")
    assert yard.job(uid).execution_metadata.keys() == {"a", "b", "argocd_admin_password", "nested"}


@pytest.mark.parametrize(
    "wrong",
    [{"outputs": {f"o{at}": "x" * 3000 for at in range(100)}}, {"blob": "x" * 300_000}, {"number": float("inf")},
     {"plan_result": {"resource_changes": [{"address": "x", "change": {"actions": [{}]}}]}}, {"plan_result": 7}],
    ids=["outputs", "blob", "number", "actions", "plan"],
)  # fmt: skip
@pytest.mark.parametrize("status", ["SUCCESS", "FAILED"])
def test_an_end_is_heard_whatever_is_wrong_with_what_is_told_beside_it(yard, status, wrong):
    _, runner, uid = held(yard)
    runner.report(uid, "PROCESSING", phase="apply", filler={str(at): "x" * 500 for at in range(300)})
    assert runner.report(uid, status, "y" * 3_000_000 if status == "FAILED" else None, good="kept", **wrong)
    job = yard.job(uid)
    assert job.status == status
    assert job.execution_metadata["truncated"] is True
    assert job.execution_metadata["phase"] == "apply"
    assert len(msgspec.json.encode(job.execution_metadata)) <= metadata.MOST
    assert len(job.error_message or "") < 10_000


def test_of_many_outputs_as_many_are_kept_as_fit(yard):
    spec, runner, uid = held(yard, "DEPLOY")
    outputs = {"url": "https://x", **{f"o{at}": "x" * 3000 for at in range(100)}}
    runner.report(uid, "SUCCESS", outputs=outputs)
    assert yard.status(spec) == "ACTIVE"
    found = yard.db.read_sync(lambda tx: tx.get(type(spec), spec.id)).outputs
    assert found["url"] == "https://x"
    assert "x" * 3000 in found.values()


def test_a_large_plan_and_a_long_estimate_are_cut_down_instead_of_refused(yard):
    _, runner, uid = held(yard)
    state = {"id": "i-0123456789", "tags": {f"tag{at}": "v" * 40 for at in range(60)}}
    changes = [
        {
            "address": f"aws_instance.web[{at}]", "type": "aws_instance",
            "change": {"actions": ["update"], "before": state, "after": {"id": str(at), "tags": {}}},
        }
        for at in range(900)
    ]  # fmt: skip
    cost = {"totalMonthlyCost": "12.5", "projects": [{"name": "p", "resources": ["r" * 100] * 4000}]}
    runner.report(uid, "PROCESSING", plan_result={"resource_changes": changes}, cost_breakdown=cost)
    kept = yard.job(uid).execution_metadata
    assert kept["plan_summary"]["update"] == 900
    assert kept["plan_result"]["truncated"] is True
    assert kept["plan_result"]["resource_changes"][0]["change"]["after"] is not None
    assert kept["cost_breakdown"] == {"totalMonthlyCost": "12.5", "projects": {"truncated": True}, "truncated": True}
    assert yard.plan(uid).summary["update"] == 900
    runner.report(uid, "SUCCESS")
    assert yard.job(uid).status == "SUCCESS"


def test_what_terraform_calls_sensitive_is_kept_of_no_report(yard):
    spec, runner, uid = held(yard, "DEPLOY")
    told = {
        "outputs": {"greeting": {"sensitive": True, "type": "string", "value": "geheim"},
                    "url": {"sensitive": False, "type": "string", "value": "https://x"}},
        "worker_outputs": {"nested": [{"sensitive": True, "value": {"a": "geheim"}}]},
    }  # fmt: skip
    runner.report(uid, "PROCESSING", **told)
    kept = yard.job(uid).execution_metadata
    assert "geheim" not in str(kept)
    assert kept["outputs"] == {"greeting": {"sensitive": True}, "url": told["outputs"]["url"]}
    runner.report(uid, "SUCCESS")
    found = yard.db.read_sync(lambda tx: tx.get(type(spec), spec.id)).outputs
    assert found == {"greeting": {"sensitive": True}, "url": "https://x"}


def test_a_late_plan_shows_no_secret_either(yard):
    _, runner, uid = held(yard)
    runner.report(uid, "PROCESSING")
    yard.cancel(uid)
    change = {
        "address": "aws_db.main", "type": "aws_db",
        "change": {"actions": ["create"], "after": {"pin": "geheim"}, "after_sensitive": {"pin": True}},
    }  # fmt: skip
    assert runner.report(uid, "SUCCESS", plan_result={"resource_changes": [change]}) is False
    late = yard.job(uid).execution_metadata["late_report"]
    assert "geheim" not in str(late)
    assert late["execution_metadata"]["plan_result"]["resource_changes"][0]["address"] == "aws_db.main"


def test_the_token_of_the_repository_is_masked_in_all_that_is_reported(yard):
    token = "ghp_0123456789abcdef"
    module = {"kind": "git", "url": "https://git.example.com/team/stack.git", "commit": "a" * 40}
    spec, runner = yard.spec(module=module, module_token=token), yard.runner()
    uid = yard.ask("PLAN", spec)
    assert runner.claim().uid == uid
    change = {
        "address": f'x.y["{token}"]', "type": "x", "change": {"actions": ["create"], "after": {"url": f"u:{token}@h"}},
    }  # fmt: skip
    runner.report(uid, "PROCESSING", note=f"cloned with {token}", plan_result={"resource_changes": [change]})
    runner.report(uid, "FAILED", f"fatal: https://x:{token}@git.example.com")
    job = yard.job(uid)
    assert token not in str((job.execution_metadata, job.error_message, yard.plan(uid).changes))
    assert job.error_message == "fatal: https://x:****@git.example.com"


def test_a_plan_whose_actions_are_no_words_is_refused(yard):
    _, runner, uid = held(yard)
    for wrong in ([{}], [["create"]], [None]):
        change = {"address": "x.y", "type": "x", "change": {"actions": wrong}}
        with pytest.raises(Invalid) as refused:
            runner.report(uid, "PROCESSING", plan_result={"resource_changes": [change]})
        assert refused.value.code == "infra_plan_unreadable"


def test_what_only_the_server_says_is_not_said_by_a_runner(yard):
    _, runner, uid = held(yard)
    runner.report(uid, "PROCESSING", late_report={"x": 1}, orphan_risk=True, plan_summary={"create": 99})
    assert yard.job(uid).execution_metadata == {}
    assert not yard.job(uid).orphan_risk


def _deep(levels):
    found = {}
    for _ in range(levels):
        found = {"x": found}
    return found


def test_a_foreign_plan_is_counted_and_shows_no_secret(yard):
    _, runner, uid = held(yard)
    change = {
        "address": "aws_db.main", "type": "aws_db",
        "change": {
            "actions": ["delete", "create"], "before": {"login": "a", "pin": "alt"},
            "after": {"login": "b", "pin": "geheim"}, "after_unknown": {}, "before_sensitive": {"pin": True},
            "after_sensitive": {"pin": True},
        },
    }  # fmt: skip
    runner.report(uid, "PROCESSING", plan_completed=True, plan_result={"resource_changes": [change]})
    kept = yard.job(uid).execution_metadata
    assert kept["plan_summary"]["replace"] == 1
    (shown,) = kept["plan_result"]["resource_changes"]
    assert shown["change"]["actions"] == ["delete", "create"]
    assert "geheim" not in str(kept)
    assert yard.plan(uid).summary["replace"] == 1


def test_a_foreign_apply_tells_what_it_made(yard):
    spec, runner, uid = held(yard, "DEPLOY")
    runner.report(uid, "PROCESSING", outputs={"url": "https://x"}, cluster_name="c1")
    assert yard.status(spec) == "PROVISIONING"
    runner.report(uid, "SUCCESS")
    assert yard.status(spec) == "ACTIVE"
    found = yard.db.read_sync(lambda tx: tx.get(type(spec), spec.id))
    assert found.outputs == {"url": "https://x"}
    assert found.components["cluster"]["cluster_name"] == "c1"


def test_a_refusal_before_the_work_began_leaves_the_spec_as_it_was(yard):
    spec, runner, uid = held(yard, "DEPLOY")
    runner.report(uid, "FAILED", "no credentials")
    assert (yard.job(uid).status, yard.status(spec)) == ("FAILED", "DRAFT")
    assert yard.job(uid).error_message == "no credentials"


def test_a_report_renews_the_lease_and_a_heartbeat_too(yard):
    _, runner, uid = held(yard)
    for renew in (lambda: runner.report(uid, "PROCESSING"), runner.beat):
        yard.clock.advance(200)
        renew()
    yard.clock.advance(200)
    assert yard.db.write_sync(jobs.requeue_lapsed) == 0
    assert yard.job(uid).status == "PROCESSING"


def test_an_enrolled_worker_says_only_what_there_is(yard):
    worker, uid = yard.enrolled(), yard.ask("PLAN", yard.spec())
    worker.claim()
    for kind, data in (("nothing", {}), ("phase", {"phase": "dance"})):
        with pytest.raises(Invalid):
            worker.say(uid, kind, **data)


def test_texts_that_no_database_takes_are_kept_readable(yard):
    _, runner, uid = held(yard)
    runner.report(uid, "PROCESSING", note="a\x00b\ud800")
    runner.report(uid, "FAILED", "x\x00y\ud800")
    assert yard.job(uid).execution_metadata["note"] == "a\ufffdb?"
    assert yard.job(uid).error_message == "x\ufffdy?"


def test_the_version_of_a_cluster_that_a_foreign_runner_has_made_is_kept_with_its_specification(yard):
    runner, spec = yard.runner(), yard.spec()
    uid = yard.ask("DEPLOY", spec)
    runner.claim()
    runner.report(uid, "PROCESSING", cluster_name="one", cluster_version="1.32")
    runner.report(uid, "SUCCESS")
    kept = yard.db.read_sync(lambda tx: tx.get(Spec, spec.id).components["cluster"])
    assert (kept["cluster_name"], kept["cluster_version"]) == ("one", "1.32")


@pytest.mark.parametrize("kind", ["foreign", "enrolled"])
def test_the_locks_of_an_apply_are_taken_in_one_order_from_its_first_word_to_its_end(yard, monkeypatch, kind):
    spec, taken = yard.spec(), []
    planned = yard.planned(spec)
    uid = yard.ask("DEPLOY", spec, plan_job_uid=planned)
    worker = yard.runner() if kind == "foreign" else yard.enrolled()
    worker.claim()
    for name, module, verb in (("plan", plans, "held"), ("spec", specs, "locked"), ("state", states, "held")):
        real = getattr(module, verb)

        def noted(*given, _name=name, _real=real, **more):
            taken.append(_name)
            return _real(*given, **more)

        monkeypatch.setattr(module, verb, noted)

    def order():
        found = list(dict.fromkeys(taken))
        taken.clear()
        return found

    if kind == "foreign":
        worker.report(uid, "PROCESSING")
        assert order() == ["plan", "spec"]
        worker.report(uid, "SUCCESS")
    else:
        worker.phase(uid, "apply")
        assert order() == ["plan", "spec"]
        worker.end(uid)
    assert order() == ["spec", "state"]
