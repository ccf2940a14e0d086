"""`--follow`: the log as the server streams it, over cuts, refusals, full places and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import pytest

from cli.conftest import Result, failed
from cli.infra.infra_api import InfraApi, Refusal
from quarterdeck.cli import infra_streaming, infra_watching

Command = Callable[..., Result]
CHUNKS = ("one\ntwo\n", "three\n", "four\nfive\n")
LINES = "one\ntwo\nthree\nfour\nfive\n"


@pytest.fixture
def job(infra: InfraApi) -> str:
    """A plan that says one chunk after the other, and succeeds."""
    made = str(infra.add_job("PLAN", infra.add_spec("ledger"), "PROCESSING")["id"])
    steps = iter(CHUNKS)

    def speak(one: str) -> None:
        for text in steps:
            infra.line(one, text)
            return
        infra.course[one] = [{"status": "SUCCESS"}]

    infra.before["job"] = speak
    return made


def asked(infra: InfraApi, name: str) -> int:
    return sum(known == name for known, _, _ in infra.calls)


def test_the_log_is_streamed_and_not_asked_for(qd: Command, infra: InfraApi, job: str) -> None:
    result = qd("jobs", "logs", job, "--follow")
    assert (result.code, result.out) == (0, LINES)
    assert result.err == "--- Job SUCCESS ---\n"
    assert [name for name, _, _ in infra.calls] == ["stream"]
    assert infra.resumed == [None]


@pytest.mark.parametrize("cut", range(1, 720, 23))
def test_a_stream_that_is_cut_anywhere_loses_and_doubles_no_line(
    qd: Command, infra: InfraApi, job: str, cut: int
) -> None:
    infra.cuts = [cut, cut, 1]
    result = qd("jobs", "logs", job, "-f")
    assert (result.code, result.out) == (0, LINES)
    assert result.err.endswith("--- Job SUCCESS ---\n")
    assert result.err.count("Trying again.") == result.err.count("The server is there again.") <= 3
    assert asked(infra, "logs") == 0
    told = [int(last) for last in infra.resumed if last is not None]
    assert told == sorted(told)


def test_a_cut_is_taken_up_behind_the_last_chunk_that_came_whole(qd: Command, infra: InfraApi, job: str) -> None:
    event = len("event: message\nid: 480\ndata: \n\n") + len(json.dumps({
        "id": 480, "job_id": job, "log_chunk": CHUNKS[0], "stream_type": "STDOUT", "created_at": "2026-05-31T12:00:00Z"
    }))  # fmt: skip
    infra.cuts = [len(": open\n\n") + event + 20]
    qd("jobs", "logs", job, "-f")
    assert infra.resumed == [None, "480"]
    assert infra.queries("stream") == [{}, {}]


def test_a_log_is_followed_from_a_chunk_on(qd: Command, infra: InfraApi, job: str) -> None:
    infra.cuts = [3]
    assert qd("jobs", "logs", job, "-f", "--after", "480").out == "three\nfour\nfive\n"
    assert infra.queries("stream") == [{"after": "480"}, {"after": "480"}]


def test_where_all_places_are_taken_the_log_is_asked_for(qd: Command, infra: InfraApi, job: str) -> None:
    def full(_: str) -> None:
        raise Refusal(429, "You have 8 open logs already.", code="rate_limited", hint="Close one.")

    infra.before["stream"] = full
    result = qd("jobs", "logs", job, "-f")
    assert (result.code, result.out) == (0, LINES)
    assert result.err == "  You have 8 open logs already. Asking every 2 s instead.\n--- Job SUCCESS ---\n"
    assert asked(infra, "stream") == 1
    assert asked(infra, "logs") > 1


def test_places_that_are_taken_in_the_middle_cost_no_line(qd: Command, infra: InfraApi, job: str) -> None:
    infra.cuts = [300]
    tries = []

    def full(_: str) -> None:
        tries.append(1)
        if len(tries) > 1:
            raise Refusal(429, "All 200 places for logs are taken.")

    infra.before["stream"] = full
    assert qd("jobs", "logs", job, "-f").out == LINES


@pytest.mark.parametrize(("status", "exits"), [(401, 3), (403, 4), (404, 5), (400, 2)])
def test_a_refusal_is_told_and_nothing_else_is_tried(
    qd: Command, infra: InfraApi, job: str, status: int, exits: int
) -> None:
    def refuse(_: str) -> None:
        raise Refusal(status, "You may not.", hint="Ask somebody.")

    infra.before["stream"] = refuse
    failed(qd("jobs", "logs", job, "-f"), exits, "You may not.")
    assert [name for name, _, _ in infra.calls] == ["stream"]


def test_a_server_that_is_away_is_waited_for_and_at_last_given_up(qd: Command, infra: InfraApi, job: str) -> None:
    tries = []

    def away(_: str) -> None:
        tries.append(1)
        if len(tries) != 9:
            raise Refusal(503, "The server is stopping.")
        infra.cuts = [1]

    infra.before["stream"] = away
    result = qd("jobs", "logs", job, "-f")
    assert result.code == 9
    assert result.err.count("Trying again.") == 2
    assert result.err.count("The server is there again.") == 1
    assert (len(tries), asked(infra, "logs")) == (9 + infra_streaming.TRIES, 0)


@pytest.mark.parametrize("status", ["SUCCESS", "FAILED", "CANCELLED"])
def test_watching_with_the_log_ends_with_the_status_of_the_job(qd: Command, infra: InfraApi, status: str) -> None:
    spec = infra.add_spec("ledger")
    infra.next_plan = infra.plans[infra.add_plan(spec)["id"]]
    infra.next_course = [{"status": "PROCESSING"}, {"status": status, "error_message": "no room"}]
    infra.before["job"] = lambda job: infra.line(job, "Planning\n") if not infra.lines[job] else None
    result = qd("plan", "ledger", "--follow", "-o", "json")
    assert result.code == (0 if status == "SUCCESS" else 1)
    assert json.loads(result.out)["status"] == status
    assert result.err.count("Planning\n") == 1
    assert (asked(infra, "logs"), asked(infra, "stream")) == (0, 1)


def test_an_interruption_leaves_the_job_and_says_how_to_follow_again_or_cancel(
    qd: Command, infra: InfraApi, job: str
) -> None:
    genuine = infra.before["job"]

    def interrupt(one: str) -> None:
        genuine(one)
        if len(infra.lines[one]) == 3:
            os.kill(os.getpid(), signal.SIGINT)
            infra.before["job"] = lambda _: None

    infra.before["job"] = interrupt
    result = qd("jobs", "logs", job, "--follow")
    assert (result.code, infra.changes()) == (130, [])
    after = 479 + len([text for text in CHUNKS if text in result.out])
    assert f"qd jobs logs {job} --follow --after {after}   to follow it again, or: qd jobs cancel {job}" in result.err


def test_a_silent_stream_is_left_when_the_time_is_over(
    qd: Command, infra: InfraApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infra_watching, "PAUSE", 0.05)
    infra.add_spec("ledger")
    infra.next_course = [{"status": "PROCESSING"}]
    result = qd("plan", "ledger", "--follow", "--timeout", "0.01", "-o", "json")
    assert (result.code, json.loads(result.out)["error"]["code"]) == (8, "timed_out")


def test_a_line_that_ends_in_a_later_chunk_is_shown_whole(qd: Command, infra: InfraApi) -> None:
    job = infra.add_job("PLAN", infra.add_spec("ledger"), "SUCCESS")["id"]
    for text, stream in (("on", "STDOUT"), ("bad\nwor", "STDERR"), ("e\ntwo", "STDOUT"), ("se", "STDERR")):
        infra.line(job, text, stream)
    for words in (("jobs", "logs", job, "-f"), ("jobs", "logs", job)):
        assert qd(*words).out == "bad\none\ntwo\nworse\n"
