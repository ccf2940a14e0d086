"""`qd jobs` and `qd plan show|approve|reject`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest

from cli.conftest import Result, failed
from cli.infra import infra_api
from cli.infra.infra_api import InfraApi, Row

Command = Callable[..., Result]


@pytest.fixture
def ledger(infra: InfraApi) -> Row:
    return infra.add_spec("ledger", infra.add_zone("payments"))


def test_jobs_are_listed_in_every_form_and_narrowed(qd: Command, infra: InfraApi, ledger: Row) -> None:
    first = infra.add_job("PLAN", ledger, runner_name="fra-1", worker_name="fra-1")
    failing = infra.add_job("DEPLOY", infra.add_spec("other, too"), "FAILED")
    for words in (("jobs", "list"), ("jobs", "ls"), ("infra", "jobs", "list", "-o", "table")):
        lines = qd(*words).out.splitlines()
        assert lines[0].split() == ["JOB", "TYPE", "STATE", "SPEC", "RUNNER", "CREATED", "TOOK"]
        assert [line.split()[0] for line in lines[1:]] == [failing["id"], first["id"]]
    assert "✗ failed" in lines[1]
    assert "2 min 03" in lines[2]
    rows = list(csv.reader(io.StringIO(qd("jobs", "list", "-o", "csv").out)))
    assert [row[2:4] for row in rows] == [["STATE", "SPEC"], ["failed", "other, too"], ["success", "ledger"]]
    assert json.loads(qd("jobs", "list", "--json").out)["jobs"][0]["id"] == failing["id"]
    assert qd("jobs", "list", "--spec-id", "ledger", "-o", "name").out == f"{first['id']}\n"
    assert qd("jobs", "list", "--zone-id", "payments", "--status", "Success", "-o", "name").out == f"{first['id']}\n"
    assert infra.queries("jobs")[-1] == {
        "surface": "infra", "status": "SUCCESS", "zone_id": ledger["zone_id"], "limit": "20"
    }  # fmt: skip
    assert "No job is like that." in qd("jobs", "list", "--status", "canceled").err
    failed(qd("jobs", "list", "--status", "sucess"), 2, "sucess is no state", "--status success")


def test_many_jobs_are_read_page_by_page(qd: Command, infra: InfraApi, ledger: Row) -> None:
    for _ in range(230):
        infra.add_job("PLAN", ledger)
    assert len(set(qd("jobs", "list", "-n", "220", "-o", "name").out.split())) == 220
    assert [(query["limit"], query.get("offset")) for query in infra.queries("jobs")] == [
        ("100", None), ("100", "100"), ("20", "200"),
    ]  # fmt: skip


@pytest.mark.parametrize("words", [("show",), ("get",), ("get", "--id"), ("show", "--job-id")])
def test_a_job_is_shown_whole(qd: Command, infra: InfraApi, ledger: Row, words: tuple[str, ...]) -> None:
    job = infra.add_job(
        "DEPLOY",
        ledger,
        "FAILED",
        error_message="no\nroom",
        execution_metadata={"outputs": {"url": "https://x", "key": {"sensitive": True}}},
        orphan_risk=True,
    )
    out = qd("jobs", *words, job["id"]).out
    for part in (
        "✗ failed",
        "spec       ledger",
        "error      no room",
        "url = https://x",
        "key = (sensitive)",
        "2 min",
    ):
        assert part in out
    assert f"{infra.url}/console/infra/jobs/{job['id']}" in out
    assert json.loads(qd("jobs", "show", job["id"], "--json").out)["id"] == job["id"]


def test_logs_are_the_answer_and_follow_ends_with_zero_however_the_job_ended(
    qd: Command, infra: InfraApi, ledger: Row
) -> None:
    job = infra.add_job("DEPLOY", ledger, "PROCESSING")["id"]
    infra.line(job, "one\ntwo\n")
    infra.line(job, "three\x1b[2J\n", "STDERR")
    assert qd("jobs", "logs", job).out == "one\ntwo\nthree\n"
    assert qd("jobs", "logs", "--id", job, "--after", "480").out == "three\n"
    assert [row["id"] for row in json.loads(qd("jobs", "logs", job, "--json").out)["logs"]] == [480, 481]
    infra.course[job] = [{"status": "PROCESSING"}, {"status": "FAILED"}]
    infra.before["job"] = lambda _: infra.line(job, "more\n")
    result = qd("jobs", "logs", job, "--follow")
    assert (result.code, result.out) == (0, "one\ntwo\nthree\nmore\nmore\n")
    assert "--- Job FAILED ---" in result.err
    infra.before.clear()
    lines = qd("jobs", "logs", job, "-f", "-o", "json").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [480, 481, 482, 483]


def test_a_job_is_canceled_repeated_and_pinned(qd: Command, infra: InfraApi, ledger: Row) -> None:
    job, runner = infra.add_job("PLAN", ledger, "QUEUED")["id"], infra.add_runner("fra-1")
    assert qd("jobs", "pin", job, "--runner-id", "fra-1").out == f"{job} is for fra-1.\n"
    assert qd("jobs", "pin", job, "--worker-id", "any").out == f"{job} is for any runner.\n"
    failed(qd("jobs", "pin", job), 2, "--runner-id any")
    assert infra.bodies("pin") == [{"assigned_worker_id": runner["id"]}, {"assigned_worker_id": None}]
    assert qd("jobs", "cancel", "--id", job, "--no-input").out == f"Canceled {job}.\n"
    failed(qd("jobs", "cancel", job), 6, "The job is CANCELLED.", f"qd jobs show {job}")
    again = qd("jobs", "rerun", job, "--wait")
    assert (again.code, again.out) == (0, "The plan of ledger succeeded.\n")
    infra.next_course = [{"status": "FAILED", "error_message": "no"}]
    assert qd("jobs", "rerun", job, "--wait").code == 1


def test_at_a_terminal_an_apply_that_runs_is_not_interrupted_by_a_slip(
    qd: Command, infra: InfraApi, ledger: Row, attended: Callable[..., list[str]]
) -> None:
    job = infra.add_job("DEPLOY", ledger, "PROCESSING")["id"]
    attended("n")
    assert qd("jobs", "cancel", job).code == 1
    assert infra.changes() == []
    attended("y")
    assert qd("jobs", "cancel", job).code == 0


def test_a_plan_is_shown_with_votes_and_whether_it_may_be_applied(qd: Command, infra: InfraApi, ledger: Row) -> None:
    plan = infra.add_plan(ledger, ("delete", "a.old"), ("create", "a.new"), required=2)["id"]
    infra.agree(plan, "aiko")
    out = qd("plan", "show", plan).out
    for part in ("−1 destroy  +1 create", "- a.old", "Approvals 1 of 2", "aiko approved", "It waits for 1 more"):  # noqa: RUF001 - the minus is the sign
        assert part in out.replace("− a.old", "- a.old")  # noqa: RUF001 - the minus is the sign
    assert "size  2" not in out
    assert "size  2" in qd("plan", "show", plan, "--verbose").out
    assert "-1 destroy" in qd("plan", "show", plan, "--ascii").out
    assert qd("plan", "show", plan, "-o", "csv").out == "ACTION,ADDRESS\ndelete,a.old\ncreate,a.new\n"
    assert json.loads(qd("plan", "show", "--id", plan, "--json").out)["approvals"]["given"] == 1
    infra.agree(plan, "bob")
    assert f"It may be applied: qd apply --plan-job-id {plan} --wait" in qd("plan", "show", plan).out


def test_of_a_destruction_is_shown_what_it_takes_away_before_anybody_agrees(
    qd: Command, infra: InfraApi, ledger: Row, attended: Callable[..., list[str]]
) -> None:
    held = {"serial": 3, "resources": 3, "addresses": ["a.disk", "a.volume[0]"], "left_out": 1, "moved": False}
    job = infra.add_plan(ledger, required=1, holds=held, cloud_identity="AWS (123456789012)", summary=None)["id"]
    out = qd("plan", "show", job).out
    for part in ("Destroy 3 resources", "a.disk", "a.volume[0]", "and 1 more", "For AWS (123456789012)"):
        assert part in out
    failed(qd("plan", "approve", job, "--no-input"), 2, "It destroys or replaces 3 resources.", "--yes")
    attended("n")
    refused = qd("plan", "approve", job)
    assert (refused.code, "a.volume[0]" in refused.err, infra.bodies("approve")) == (1, True, [])
    infra.plans[job]["holds"] = {**held, "moved": True}
    assert "The state has moved on" in qd("plan", "show", job).out


def test_a_plan_is_approved_or_rejected_with_a_comment(qd: Command, infra: InfraApi, ledger: Row) -> None:
    harmless = infra.add_plan(ledger, ("create", "a.new"), required=2)["id"]
    first = qd("plan", "approve", harmless, "--comment", "fine")
    assert (first.code, first.out) == (0, f"Approved {harmless}; 1 more is needed.\n")
    second = qd("plan", "approve", "--id", harmless)
    assert second.out == f"Approved {harmless}.\n"
    assert f"qd apply --plan-job-id {harmless}" in second.err
    assert infra.bodies("approve") == [{"comment": "fine"}, {}]
    risky = infra.add_plan(ledger, ("delete", "a.old"), required=1)["id"]
    failed(qd("plan", "approve", risky, "--no-input"), 2, "It destroys or replaces 1 resource.", "--yes")
    assert qd("plan", "reject", risky, "--comment", "in use").out == f"Rejected {risky}.\n"
    assert infra.bodies("reject") == [{"comment": "in use"}]
    failed(qd("plan", "reject", risky, "--comment", " "), 2, "--comment says nothing.")


@pytest.mark.parametrize("words", [("jobs", "show"), ("plan", "show"), ("plan", "approve"), ("jobs", "wait")])
def test_without_an_id_and_a_person_nothing_is_guessed(
    qd: Command, infra: InfraApi, ledger: Row, words: tuple[str, ...]
) -> None:
    infra.add_plan(ledger)
    failed(qd(*words), 2, "Say which ", "--id ID")
    assert infra.calls == []


def test_a_person_chooses_among_the_newest_plans(
    qd: Command, infra: InfraApi, ledger: Row, attended: Callable[..., list[str]]
) -> None:
    old, new = infra.add_plan(ledger)["id"], infra.add_plan(ledger)["id"]
    infra.add_job("DEPLOY", ledger)
    asked = attended("2", "9", new)
    assert qd("plan", "show", "-o", "name").out == f"{old}\n"
    failed(qd("plan", "show"), 2, "9 is none of these.")
    assert qd("plan", "show", "-o", "name").out == f"{new}\n"
    assert asked == ["Which plan"] * 3


def test_a_plan_that_was_waited_for_says_how_much_it_changes_and_what_comes_next(qd: Command, infra: InfraApi) -> None:
    spec = infra.add_spec("ledger")
    plan = infra.add_plan(spec, ("delete", "a.old"), ("create", "a.b"))["id"]
    result = qd("jobs", "wait", plan)
    assert result.out == "The plan of ledger succeeded: −1 destroy  +1 create.\n"  # noqa: RUF001 - the minus is the sign
    assert f"Try:   qd apply ledger --plan-job-id {plan} --wait" in result.err
    infra.next_plan = infra.plans[plan]
    infra.next_course = [{"status": "SUCCESS"}]
    again = qd("jobs", "rerun", plan, "--wait")
    assert "+1 create" in again.out
    assert f"Try:   qd apply ledger --plan-job-id {infra.jobs_known[0]['id']} --wait" in again.err
    infra.plans.clear()
    assert qd("jobs", "wait", plan).out == "The plan of ledger succeeded.\n"


def test_a_look_for_drift_is_told_from_a_plan(qd: Command, infra: InfraApi) -> None:
    spec = infra.add_spec("ledger")
    look = infra.add_plan(spec, ("update", "a.b"))
    look["read_only"] = True
    assert "PLAN (drift)" in qd("jobs", "list").out
    assert "PLAN (drift)" in qd("jobs", "show", look["id"]).out
    changes = infra.plans[look["id"]]["changes"]
    infra.drifts[spec["id"]] = {
        "drifted": True, "at": infra_api.AT, "job_id": look["id"], "changes": changes, "left_out": 0
    }  # fmt: skip
    result = qd("jobs", "wait", look["id"])
    assert result.out == "The look for drift of ledger succeeded: 1 resource drifted.\n"
    assert "qd spec drift ledger" in result.err
    assert "qd apply" not in result.err
    infra.drifts[spec["id"]] |= {"drifted": False, "changes": []}
    assert "succeeded: nothing has drifted." in qd("jobs", "wait", look["id"]).out
