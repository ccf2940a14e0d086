"""Watching a job while the server is away, too long, or told to stop."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import pytest

from cli.conftest import Result, failed
from cli.infra.infra_api import InfraApi, Refusal, Row
from quarterdeck.cli import infra_watching

Command = Callable[..., Result]


@pytest.fixture
def job(infra: InfraApi) -> str:
    return str(infra.add_job("DEPLOY", infra.add_spec("ledger"), "PROCESSING")["id"])


@pytest.mark.parametrize("status", [502, 503, 500, 429])
def test_a_server_that_is_restarted_is_waited_for_and_told_of_once(
    qd: Command, infra: InfraApi, job: str, status: int
) -> None:
    tries = [0]

    def away(_: str) -> None:
        tries[0] += 1
        if tries[0] < 6:
            raise Refusal(status, "Bad gateway")

    infra.before["job"] = away
    infra.course[job] = [{"status": "PROCESSING"}, {"status": "SUCCESS"}]
    result = qd("jobs", "wait", job)
    assert (result.code, result.out) == (0, "The apply of ledger succeeded.\n")
    assert result.err.count("Trying again.") == 1
    assert result.err.count("The server is there again.") == 1


def test_a_server_whose_connection_breaks_is_waited_for(
    qd: Command, infra: InfraApi, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    infra.course[job] = [{"status": "SUCCESS"}]
    genuine, tries = infra.serve, [0]

    def cut(request: object, body: object) -> None:
        tries[0] += 1
        if tries[0] > 3:
            genuine(request, body)

    monkeypatch.setattr(infra, "serve", cut)
    result = qd("jobs", "wait", job)
    assert result.code == 0
    assert "Trying again." in result.err


def test_a_server_that_stays_away_is_given_up(qd: Command, infra: InfraApi, job: str) -> None:
    tries = [0]

    def away(_: str) -> None:
        tries[0] += 1
        raise Refusal(503, "The server is stopping.")

    infra.before["job"] = away
    result = qd("jobs", "wait", job)
    assert (result.code, tries[0]) == (9, infra_watching.TRIES + 1)


def test_a_refusal_is_no_absence(qd: Command, infra: InfraApi, job: str) -> None:
    def refuse(_: str) -> None:
        raise Refusal(403, "You may not see this job.")

    infra.before["job"] = refuse
    assert qd("jobs", "wait", job).code == 4
    assert len(infra.calls) == 1


def test_a_change_is_never_sent_twice(qd: Command, infra: InfraApi) -> None:
    infra.add_spec("ledger")

    def away() -> None:
        raise Refusal(503, "The server is stopping.")

    infra.before["new_job"] = away
    assert qd("plan", "ledger", "--wait").code == 9
    assert infra.changes() == ["new_job"]


def test_the_end_of_patience_ends_with_eight_and_the_job_goes_on(qd: Command, infra: InfraApi, job: str) -> None:
    result = qd("jobs", "wait", job, "--timeout", "0.001", "--json")
    assert (result.code, infra.changes()) == (8, [])
    told = json.loads(result.out)
    assert (told["job_id"], told["status"], told["error"]["code"]) == (job, "PROCESSING", "timed_out")
    assert f"qd jobs wait {job}" in result.err


def test_an_interruption_leaves_the_job_as_it_is_and_says_how_to_come_back(
    qd: Command, infra: InfraApi, job: str
) -> None:
    infra.before["job"] = lambda _: os.kill(os.getpid(), signal.SIGINT)
    result = qd("jobs", "wait", job)
    assert (result.code, infra.changes()) == (130, [])
    assert f"qd jobs wait {job}" in result.err


def test_why_a_job_waits_is_told_when_it_changes(qd: Command, infra: InfraApi, job: str) -> None:
    runner = infra.add_runner("fra-1", "OFFLINE")
    asks = {"status": "QUEUED", "waits_for": "approval"}
    waits = {"status": "QUEUED", "waits_for": "runner", "assigned_worker_id": runner["id"]}
    infra.course[job] = [asks, asks, waits, waits, {"status": "PROCESSING"}, {"status": "SUCCESS"}]
    result = qd("jobs", "wait", job)
    assert result.err.count(f"waits for approval   qd plan approve {job}") == 1
    assert result.err.count(f"for fra-1 alone, which is offline: qd jobs pin {job} --runner-id any") == 1
    assert result.code == 0


@pytest.mark.parametrize("verb", ["show", "logs", "wait", "cancel", "rerun"])
def test_a_job_that_is_not_there_ends_with_five(qd: Command, infra: InfraApi, job: str, verb: str) -> None:
    failed(qd("jobs", verb, "00000000-0000-4000-8000-000000000000"), 5, "qd jobs list")


def test_rows_are_told(job: str, infra: InfraApi) -> None:
    row: Row = infra.jobs_known[0]
    assert infra_watching.facts(row) == {"job_id": job, "job_type": "DEPLOY", "status": "PROCESSING"}


@pytest.mark.parametrize(("status", "exits", "hint"), [(401, 3, "qd login"), (403, 4, "qd whoami")])
def test_who_is_refused_is_told_what_to_do(qd: Command, infra: InfraApi, status: int, exits: int, hint: str) -> None:
    def refuse() -> None:
        raise Refusal(status, "Unauthorized: Invalid token")

    infra.before["specs"] = refuse
    failed(qd("plan", "ledger"), exits, "Unauthorized: Invalid token", hint)


def test_a_runner_that_goes_away_while_a_job_waits_for_it_is_told(
    qd: Command, infra: InfraApi, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infra_watching, "LOOK", 0.0)
    runner = infra.add_runner("fra-1")
    waits = {"status": "QUEUED", "waits_for": "runner", "assigned_worker_id": runner["id"]}
    infra.course[job] = [*[waits] * 5, {"status": "PROCESSING"}, {"status": "SUCCESS"}]

    def go_away(_: str) -> None:
        if len(infra.course[job]) == 4:
            runner["status"] = "OFFLINE"

    infra.before["job"] = go_away
    result = qd("jobs", "wait", job)
    assert result.code == 0
    assert result.err.count(f"for fra-1 alone, which is offline: qd jobs pin {job} --runner-id any") == 1


def test_a_job_that_no_runner_can_take_says_how_to_add_one(
    qd: Command, infra: InfraApi, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infra_watching, "LOOK", 0.0)
    infra.add_runner("fra-1", "OFFLINE")
    waits = {"status": "QUEUED", "waits_for": "runner", "assigned_worker_id": None}
    infra.course[job] = [waits] * 4 + [{"status": "SUCCESS"}]
    said = "No runner that is online can take it, and the server itself has not: qd runner enrol NAME"
    assert qd("jobs", "wait", job).err.count(said) == 1
    infra.course[job] = [waits, {"status": "SUCCESS"}]
    assert said not in qd("jobs", "wait", job).err
    infra.add_runner("fra-2")
    infra.course[job] = [waits] * 4 + [{"status": "SUCCESS"}]
    assert said not in qd("jobs", "wait", job).err
