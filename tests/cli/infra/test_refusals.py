"""What the server refuses, as the command line tells it: with the documented status, and something to type."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cli.conftest import Result, failed
from cli.infra.infra_api import InfraApi, Refusal, identity

Command = Callable[..., Result]
ABSENT = "00000000-0000-4000-8000-000000000000"
PROSE = f"None that you may see is {ABSENT}: look at the list."


def refuse(infra: InfraApi, name: str, status: int, code: str, hint: str) -> None:
    def answer(*_: str) -> None:
        raise Refusal(status, "It may not be.", code=code, hint=hint)

    infra.before[name] = answer


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("job", ("jobs", "show", ABSENT)),
        ("logs", ("jobs", "logs", ABSENT)),
        ("stream", ("jobs", "logs", ABSENT, "--follow")),
        ("job", ("jobs", "wait", ABSENT)),
        ("cancel", ("jobs", "cancel", ABSENT)),
        ("rerun", ("jobs", "rerun", ABSENT)),
        ("plan", ("plan", "show", ABSENT)),
        ("plan", ("plan", "get", ABSENT)),
        ("plan", ("plan", "approve", ABSENT)),
        ("job", ("apply", "--plan-job-id", ABSENT)),
    ],
)
def test_what_is_not_there_is_looked_for_in_a_list(
    qd: Command, infra: InfraApi, name: str, words: tuple[str, ...]
) -> None:
    refuse(infra, name, 404, "infra_job_not_found", PROSE)
    result = qd(*words)
    failed(result, 5, "Try:   qd jobs list\n")
    assert PROSE not in result.err


def test_what_the_server_says_to_do_stays_beside_what_is_typed(qd: Command, infra: InfraApi) -> None:
    infra.add_spec("ledger")
    refuse(infra, "delete_spec", 409, "spec_holds_resources", "Destroy what it made first.")
    failed(qd("spec", "delete", "ledger", "--yes"), 6, "qd destroy ledger --wait", "(Destroy what it made first.)")
    refuse(infra, "init", 409, "cloud_issuer_absent", "Start the server with --public-url https://…")
    failed(qd("connector", "gcp"), 6, "Try:   Start the server with --public-url")


def test_a_plan_that_may_not_be_applied_is_made_anew(qd: Command, infra: InfraApi) -> None:
    spec = infra.add_spec("ledger")
    applied = {"ok": False, "code": "plan_applied", "reason": "It was applied.", "hint": "Plan again."}
    plan = infra.add_plan(spec, ("create", "a.b"), applicable=applied)["id"]
    failed(qd("apply", "--plan-job-id", plan), 6, "It was applied.", "qd plan ledger --wait   (Plan again.)")


def test_a_job_that_has_ended_is_a_conflict_to_cancel(qd: Command, infra: InfraApi) -> None:
    job = infra.add_job("PLAN", infra.add_spec("ledger"))["id"]
    result = qd("jobs", "cancel", job, "-o", "json")
    assert (result.code, json.loads(result.out)["error"]["code"]) == (6, "infra_job_not_cancellable")
    assert json.loads(result.out)["error"]["hint"] == f"qd jobs show {job}"


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "show", ABSENT),
        ("plan", "approve", ABSENT, "--yes"),
        ("apply", "--plan-job-id", ABSENT),
        ("jobs", "show", ABSENT),
    ],
)
def test_what_watches_nothing_does_not_wait_for_a_server_that_is_away(
    qd: Command, infra: InfraApi, words: tuple[str, ...]
) -> None:
    for name in ("plan", "job"):
        refuse(infra, name, 503, "stopping", "Wait.")
    assert qd(*words).code == 9
    assert len(infra.calls) == 1


def test_a_log_before_its_beginning_is_a_mistake_of_the_command(qd: Command, infra: InfraApi) -> None:
    failed(qd("jobs", "logs", ABSENT, "--after", "-1"), 2, "--after", "qd jobs logs --help")
    assert infra.calls == []


def test_a_cloud_that_nobody_has_proved_is_seen_and_forgotten(qd: Command, infra: InfraApi) -> None:
    infra.add_identity("aws", "AWS (1)", verified=False)
    assert qd("connector", "list", "-o", "name").out == ""
    assert qd("connector", "list", "--all", "-o", "name").out == f"{identity('f', 0)}\n"
    assert "1 was begun, and no runner has proved it: qd connector list --all" in qd("connector", "list").err
    assert "not proved" in qd("connector", "list", "--all").out
    assert qd("connector", "remove", "aws", "-y").out == "Forgot AWS (1).\n"
    failed(qd("runner", "register", "x", "--cloud-identity-id", "aws"), 5, "There is no cloud identity aws.")


def test_a_test_of_a_connection_that_is_not_there_is_not_gone_on_with(qd: Command, infra: InfraApi) -> None:
    words = ("connector", "aws", "--identity-id", identity("9", 1), "--test-job-id", ABSENT)
    failed(qd(*words), 5, "Try:   qd connector list --all\n")
