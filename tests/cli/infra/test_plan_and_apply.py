"""`qd plan`, `qd apply`, `qd destroy`: what is asked for, what is asked first, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cli.conftest import Result, failed
from cli.infra.infra_api import InfraApi, Refusal, Row, identity

Command = Callable[..., Result]
RISKY = (("delete", "aws_ebs_volume.old"), ("replace", "aws_db_subnet_group.ledger"), ("create", "aws_subnet.c"))


@pytest.fixture
def ledger(infra: InfraApi) -> Row:
    return infra.add_spec("ledger", infra.add_zone("payments"))


def test_a_plan_is_asked_for_by_name_or_id_as_an_argument_or_by_its_option(
    qd: Command, infra: InfraApi, ledger: Row
) -> None:
    runner = infra.add_runner("fra-1")
    infra.add_spec("other")
    for words in (
        ("plan", "ledger"),
        ("plan", "--spec-id", "ledger"),
        ("plan", "--configuration-id", ledger["id"]),
        ("spec", "plan", "payments/ledger"),
        ("plan", "ledger", "--worker-id", "any"),
        ("plan", "ledger", "--zone-id", "payments", "--no-input"),
    ):
        result = qd(*words)
        assert result.code == 0, result
        assert result.out.startswith("Planning ledger, as job ")
    asked = {"job_type": "PLAN", "configuration_id": ledger["id"], "zone_id": ledger["zone_id"]}
    assert infra.bodies("new_job") == [asked] * 6
    assert qd("plan", "ledger", "--runner-id", "fra-1").code == 0
    assert infra.bodies("new_job")[-1] == {**asked, "assigned_worker_id": runner["id"]}
    failed(qd("plan", "ledger", "--runner-id", "fra-2"), 5, "no runner fra-2. Did you mean fra-1?")
    failed(qd("plan", "leger"), 5, "There is no spec leger. Did you mean ledger?")
    failed(qd("plan", "ledger", "--spec-id", "other"), 2, "name two things")


def test_a_name_that_several_have_is_refused_with_their_ids(qd: Command, infra: InfraApi, ledger: Row) -> None:
    twin = infra.add_spec("ledger", infra.add_zone("legacy"), environment_stage="staging")
    failed(qd("plan", "ledger"), 2, ledger["id"], twin["id"], "staging, legacy")
    assert qd("plan", "legacy/ledger").code == 0
    assert qd("plan", "ledger", "--zone-id", "legacy").code == 0
    assert [body["configuration_id"] for body in infra.bodies("new_job")] == [twin["id"]] * 2


def test_the_only_spec_is_meant_where_none_is_named_and_several_have_to_be_told_apart(
    qd: Command, infra: InfraApi, ledger: Row
) -> None:
    assert qd("plan").code == 0
    infra.add_spec("other")
    failed(qd("plan"), 2, "Say which spec: ledger, other.", "--spec-id ledger")
    failed(qd("plan", "--no-input"), 2, "Say which spec")
    infra.specs_known.clear()
    failed(qd("plan"), 5, "There is no spec yet.", "qd spec create")


def test_a_plan_that_is_waited_for_shows_what_would_change_the_riskiest_first(
    qd: Command, infra: InfraApi, ledger: Row
) -> None:
    infra.next_plan = infra.plans[infra.add_plan(ledger, *RISKY)["id"]]
    infra.next_plan["drift"] = [{**infra.next_plan["changes"][0], "address": "aws_sg.edge", "action": "update"}]
    infra.next_course = [
        {"status": "CLAIMED"},
        {"status": "PROCESSING", "execution_metadata": {"phase": "terraform_plan"}},
        {"status": "SUCCESS", "execution_metadata": {"cost_summary": {"total_monthly": 412.6}}},
    ]
    result = qd("plan", "ledger", "--wait")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].startswith("ledger   −1 destroy  ±1 replace  +1 create   ")  # noqa: RUF001 - the minus is the sign
    assert [line.strip() for line in lines if line.startswith("  ") and not line.startswith("   ")] == [
        "Destroy 1", "Replace, destroyed and created again 1", "Create 1",
        "Changed by somebody else 1", "Cost 412.60 USD a month"
    ]  # fmt: skip
    assert "≠ aws_sg.edge\n" in result.out
    assert "size  1 → 2  forces replacement\n" in result.out
    assert "What changes of it cannot be changed in place.\n        Forced by kind.name\n" in result.out
    assert result.out.count("forces replacement") == 1
    assert 'id  "a" → (known after apply)' in result.out
    assert "password  (sensitive)" in result.out
    assert 'id  "a"' in result.out
    assert "terraform plan" in result.err
    assert "qd apply ledger --plan-job-id" in result.err
    told = json.loads(qd("plan", "ledger", "--wait", "--json").out)
    assert (told["status"], told["plan"]["summary"]["delete"]) == ("SUCCESS", 1)


def test_follow_shows_the_log_once_and_in_order(qd: Command, infra: InfraApi, ledger: Row) -> None:
    infra.next_plan = infra.plans[infra.add_plan(ledger)["id"]]
    steps = iter(["Initializing\n", "Planning\nstill \x1b]0;evil\x07planning\n", "Done\n"])

    def speak(job: str) -> None:
        for text in steps:
            infra.line(job, text)
            break

    infra.before["job"] = speak
    result = qd("plan", "ledger", "--follow")
    assert result.code == 0
    said = [line.strip() for line in result.err.splitlines() if line.startswith("    ")]
    assert said == ["Initializing", "Planning", "still planning"]
    assert "nothing changes" in result.out


@pytest.mark.parametrize(("status", "said"), [("FAILED", "failed: no such region"), ("CANCELLED", "was canceled")])
def test_a_plan_that_does_not_end_well_ends_with_one_behind_its_last_lines(
    qd: Command, infra: InfraApi, ledger: Row, status: str, said: str
) -> None:
    infra.next_course = [{"status": status, "error_message": "no such region" if status == "FAILED" else None}]
    infra.before["job"] = lambda job: infra.line(job, "Error: no such region\n") if not infra.lines[job] else None
    result = qd("plan", "ledger", "--wait", "--json")
    assert (result.code, said in result.err) == (1, True)
    assert ("│ Error: no such region" in result.err) == (status == "FAILED")
    told = json.loads(result.out)
    assert (told["status"], told["error"]["code"]) == (status, f"job_{status.lower()}")


def test_a_harmless_plan_is_applied_without_a_question_and_exactly_that_one(
    qd: Command, infra: InfraApi, ledger: Row
) -> None:
    infra.add_plan(infra.add_spec("other"), ("create", "a.b"))
    plan = infra.add_plan(ledger, ("create", "aws_subnet.c"), ("update", "aws_subnet.d"))
    infra.add_job("PLAN", ledger, read_only=True)
    infra.add_job("PLAN", ledger, "FAILED")
    result = qd("apply", "ledger", "--wait", "--no-input")
    assert (result.code, result.out) == (0, "Applied ledger.\n")
    assert f"plan {plan['id']}" in result.err
    assert infra.bodies("new_job") == [
        {
            "job_type": "DEPLOY", "configuration_id": ledger["id"], "zone_id": ledger["zone_id"],
            "plan_job_id": plan["id"],
        }
    ]  # fmt: skip
    assert qd("apply", "--plan-job-id", plan["id"].upper()).code == 0
    assert infra.bodies("new_job")[1]["configuration_id"] == ledger["id"]


def test_an_apply_that_destroys_is_refused_until_the_name_is_given(qd: Command, infra: InfraApi, ledger: Row) -> None:
    infra.add_plan(ledger, *RISKY)
    for words in ((), ("--no-input",)):
        failed(qd("apply", "ledger", *words), 2, "2 resources are destroyed or replaced", "--confirm ledger")
    failed(qd("apply", "ledger", "--confirm", "leger"), 2, "leger is not ledger. Nothing was changed.")
    failed(qd("apply", "ledger", "--yes", "--confirm", "leger"), 2, "leger is not ledger.")
    assert infra.bodies("new_job") == []
    for words in (("--confirm", "ledger", "--no-input"), ("--yes",)):
        assert qd("apply", "ledger", *words).code == 0
    assert len(infra.bodies("new_job")) == 2


def test_at_a_terminal_the_changes_are_shown_and_the_name_is_typed(
    qd: Command, infra: InfraApi, ledger: Row, attended: Callable[..., list[str]]
) -> None:
    infra.add_plan(ledger, *RISKY)
    asked = attended("ledger")
    result = qd("apply", "ledger")
    assert (result.code, asked) == (0, ["Type ledger to go on"])
    assert "aws_ebs_volume.old" in result.err
    attended("")
    refused = qd("apply", "ledger")
    assert (refused.code, "Nothing was changed." in refused.err) == (1, True)
    assert len(infra.bodies("new_job")) == 1


def test_an_apply_that_waits_for_approvals_ends_with_seven_where_nobody_waits(
    qd: Command, infra: InfraApi, ledger: Row
) -> None:
    plan = infra.add_plan(ledger, ("create", "a.b"), required=2)
    result = qd("apply", "ledger", "--json")
    assert (result.code, infra.changes()) == (7, [])
    assert f"qd plan approve {plan['id']}" in result.err
    told = json.loads(result.out)
    assert (told["error"]["code"], told["approvals"]["missing"]) == ("waits", 2)


def test_an_apply_that_is_waited_for_begins_when_enough_have_agreed(qd: Command, infra: InfraApi, ledger: Row) -> None:
    plan = infra.add_plan(ledger, ("create", "a.b"), required=2)
    seen = []

    def vote(job: str) -> None:
        seen.append(job)
        if len(seen) > 1:
            infra.agree(job, f"person {len(seen)}")

    infra.before["plan"] = vote
    result = qd("apply", "ledger", "--wait")
    assert (result.code, result.out) == (0, "Applied ledger.\n")
    assert result.err.count("waits for") == 2
    assert infra.bodies("new_job")[0]["plan_job_id"] == plan["id"]


def test_a_rejected_plan_is_not_waited_for(qd: Command, infra: InfraApi, ledger: Row) -> None:
    plan = infra.add_plan(ledger, ("create", "a.b"), required=2)
    infra.agree(plan["id"], "bob", "rejected")
    failed(qd("apply", "ledger", "--wait"), 6, "Error: No.", "Ask again.")
    assert infra.changes() == []


def test_a_stale_plan_is_refused_in_the_words_of_the_server(qd: Command, infra: InfraApi, ledger: Row) -> None:
    applicable = {"ok": False, "code": "plan_state_moved", "reason": "The state has moved on to serial 8."}
    applicable["hint"] = "qd plan ledger --wait"
    infra.add_plan(ledger, ("create", "a.b"), required=1, applicable=applicable)
    for wait in ((), ("--wait",)):
        assert qd("apply", "ledger", *wait).code == 6, "no approval would mend it"
    failed(qd("apply", "ledger"), 6, "Error: The state has moved on to serial 8.\n", "Try:   qd plan ledger --wait\n")
    assert infra.changes() == []


def test_a_plan_that_becomes_stale_in_between_is_refused_as_well(qd: Command, infra: InfraApi, ledger: Row) -> None:
    plan = infra.add_plan(ledger, ("create", "a.b"))

    def stale(**more: str) -> None:
        raise Refusal(409, "The configuration has changed since this plan.", **more)

    infra.before["new_job"] = lambda: stale(hint="Plan again.")
    failed(qd("apply", "ledger"), 6, "The configuration has changed since this plan.", "Plan again.")
    infra.before["new_job"] = stale
    failed(qd("apply", "ledger"), 6, "The configuration has changed", f"qd plan show {plan['id']}")


def test_what_was_never_planned_is_applied_only_by_saying_so(qd: Command, infra: InfraApi, ledger: Row) -> None:
    failed(qd("apply", "ledger", "--yes"), 6, "ledger has no plan that succeeded.", "qd plan ledger --wait")
    failed(qd("apply", "ledger", "--without-plan"), 2, "without a plan that somebody has read", "--confirm ledger")
    failed(qd("apply", "--without-plan", "--plan-job-id", identity("d", 1)), 2, "goes with no plan")
    failed(qd("apply", "ledger", "--plan-job-id", "4e0d"), 2, "4e0d is not the id of a job.")
    assert qd("apply", "ledger", "--without-plan", "--confirm", "ledger").code == 0
    assert "plan_job_id" not in infra.bodies("new_job")[0]


def test_an_apply_may_leave_orphans_and_says_so(qd: Command, infra: InfraApi, ledger: Row) -> None:
    infra.add_plan(ledger, ("create", "a.b"))
    infra.next_course = [{"status": "FAILED", "error_message": "killed", "orphan_risk": True}]
    failed(qd("apply", "ledger", "--wait"), 1, "killed", "may have left resources", "qd jobs logs")


def test_a_destruction_asks_for_the_name_and_is_watched(qd: Command, infra: InfraApi, ledger: Row) -> None:
    ledger["resources"] = 2
    failed(qd("destroy", "ledger", "--no-input"), 2, "Everything that ledger", "--confirm ledger")
    failed(qd("destroy"), 2, "Say which spec: ledger.", "--spec-id ledger")
    assert infra.changes() == []
    for words in (("destroy", "ledger"), ("destroy", "spec", "ledger"), ("spec", "destroy", "--spec-id", "ledger")):
        result = qd(*words, "--confirm", "ledger", "--wait")
        assert (result.code, result.out) == (0, "Destroyed what ledger had made.\n")
    assert [body["job_type"] for body in infra.bodies("new_job")] == ["DESTROY"] * 3
    ledger["resources"] = 0
    result = qd("destroy", "ledger", "--confirm", "ledger", "--wait")
    assert (result.code, result.out) == (0, "ledger had made nothing that could be destroyed.\n")


def test_at_a_terminal_a_destruction_lists_what_the_state_holds_before_it_asks(
    qd: Command, infra: InfraApi, ledger: Row, attended: Callable[..., list[str]]
) -> None:
    infra.add_state(ledger, 1)
    infra.states[ledger["id"]] |= {"resources": 2, "addresses": ["a.disk"]}
    attended("other")
    result = qd("destroy", "ledger")
    assert result.code != 0
    assert infra.bodies("new_job") == []
    for part in ("Destroy 2 resources", "a.disk", "and 1 more"):
        assert part in result.err


def test_a_destruction_that_waits_for_approvals_ends_with_seven(qd: Command, infra: InfraApi, ledger: Row) -> None:
    infra.next_plan = infra.plans[infra.add_plan(ledger, required=1)["id"]] | {"summary": None}
    infra.next_course = [{"status": "QUEUED", "waits_for": "approval"}] * 3
    result = qd("destroy", "ledger", "--yes")
    assert (result.code, "waits for 1 more approval." in result.err) == (7, True)
    job = infra.jobs_known[0]["id"]
    assert f"qd plan approve {job}" in result.err
    waited = qd("jobs", "wait", job, "--timeout", "0.001")
    assert (waited.code, "still waits for approval" in waited.err) == (7, True)


def test_plan_says_what_would_be_sent_and_sends_nothing(qd: Command, infra: InfraApi, ledger: Row) -> None:
    infra.add_plan(ledger, *RISKY)
    for words in (("plan", "ledger"), ("apply", "ledger"), ("destroy", "ledger")):
        result = qd(*words, "--plan")
        assert (result.code, result.out.splitlines()[0]) == (0, "POST /api/jobs   (infra-jobs.create)")
    assert infra.changes() == []


def test_a_timeout_without_waiting_is_a_mistake(qd: Command, infra: InfraApi, ledger: Row) -> None:
    failed(qd("plan", "ledger", "--timeout", "5"), 2, "--timeout says how long to --wait.")
    assert infra.changes() == []
