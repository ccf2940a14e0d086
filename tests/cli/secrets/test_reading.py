"""Asking to read a secret, waiting for it, and fetching it once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

from cli.conftest import Result, failed
from cli.secrets.broker_api import BrokerApi, Refusal, identity
from quarterdeck.cli import secret_waiting

Command = Callable[..., Result]
VALUE = b"canary-Alpha-83f1"
AGREED = [{"status": "approved"}, {"status": "executed"}]
ASK = ("secret", "read", "apps/db", "--provider", "vault", "--why", "a restore")


@pytest.fixture
def kept(broker: BrokerApi) -> BrokerApi:
    broker.kept = {"password": VALUE, "user": b"shop"}
    broker.course = list(AGREED)
    return broker


def test_a_request_says_what_is_wanted_where_and_why(qd: Command, broker: BrokerApi) -> None:
    project = broker.add_project("shop", "production")
    result = qd(
        *ASK, "--project", "shop", "--environment", "production", "--connection", "ours", "--key", "password", "--key",
        "user", "--key", "password",
    )  # fmt: skip
    assert result.code == 0, result
    assert broker.bodies("ask_read") == [
        {
            "target_provider_type": "vault", "target_secret_ref": "apps/db", "project_id": project["id"],
            "environment": "production", "target_provider_config": {"connection": "ours"},
            "target_keys": ["password", "user"], "justification": "a restore",
        }
    ]  # fmt: skip
    assert result.out == f"{identity('a', 0)}\n"
    assert "waits for approval" in result.err
    assert f"qd secret get {identity('a', 0)}" in result.err


def test_a_connection_says_what_keeps_the_secret(qd: Command, broker: BrokerApi) -> None:
    broker.add_connection("drawer", "file")
    assert qd("secret", "read", "apps/db", "--connection", "drawer").code == 0
    assert broker.bodies("ask_read")[0]["target_provider_type"] == "file"
    failed(qd("secret", "read", "apps/db"), 2, "Say where it is kept", "--provider vault")
    failed(qd("secret", "read", "apps/db", "--connection", "drawr"), 5, "Did you mean drawer?")


def test_one_value_is_printed_as_it_is_and_nowhere_else(qd: Command, kept: BrokerApi) -> None:
    result = qd(*ASK, "--key", "password", "--wait", "--verbose")
    assert (result.code, result.out) == (0, VALUE.decode())
    assert VALUE.decode() not in result.err
    assert "waits for approval (0 of 1, approval)" in result.err


def test_several_values_are_one_document(qd: Command, kept: BrokerApi) -> None:
    kept.kept["key"] = b"\xff\x00"
    result = qd(*ASK, "--wait", "-o", "json")
    assert json.loads(result.out) == {
        "request_id": identity("a", 0),
        "values": {"password": VALUE.decode(), "user": "shop"},
        "base64": {"key": "/wA="},
    }


@pytest.mark.parametrize(
    "words", [(), ("--key", "password", "--key", "user"), ("--key", "password", "-o", "name"), ("-o", "csv")]
)
def test_what_cannot_be_printed_is_not_asked_for(qd: Command, kept: BrokerApi, words: tuple[str, ...]) -> None:
    failed(qd(*ASK, "--wait", *words), 2, "-o json")
    assert kept.changes() == []


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ({"status": "rejected", "reject_reason": "use the replica"}, "was rejected: use the replica."),
        ({"status": "failed", "error_message": "Vault said 403."}, "failed: Vault said 403."),
        ({"status": "expired"}, "has expired."),
        ({"status": "cancelled"}, "was canceled."),
    ],
)
def test_a_request_that_ends_otherwise_says_how(
    qd: Command, broker: BrokerApi, end: dict[str, str], words: str
) -> None:
    broker.course = [end]
    result = qd(*ASK, "--key", "password", "--wait")
    failed(result, 1, words, "qd secret request show")
    assert result.out == ""


def test_patience_ends_and_the_request_stays(qd: Command, broker: BrokerApi) -> None:
    result = qd(*ASK, "--key", "password", "--wait", "--timeout", "0.01")
    failed(result, 8, "waits for approval still, after 0.01 s.", f"qd secret request show {identity('a', 0)}")
    assert broker.changes() == ["ask_read"]
    failed(qd(*ASK, "--timeout", "3"), 2, "Add --wait.")


def test_stopping_leaves_the_request_and_says_how_to_go_on(
    qd: Command, broker: BrokerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", stop)
    result = qd(*ASK, "--key", "password", "--wait")
    assert result.code == 130
    assert f"Try:   qd secret request show {identity('a', 0)}" in result.err
    result = qd(*ASK, "--key", "password", "--seal")
    assert result.code == 130
    assert "the key is gone" in result.err
    assert f"Try:   qd secret request cancel {identity('a', 1)}" in result.err


def test_a_value_is_fetched_once(qd: Command, broker: BrokerApi) -> None:
    row = broker.add_request("executed")
    broker.deliver(row, {"password": VALUE, "user": b"shop"})
    assert qd("secret", "get", row["id"], "password").out == VALUE.decode()
    failed(qd("secret", "get", row["id"], "password"), 6, "each value is given out once")
    assert qd("secret", "get", row["id"][:8]).out == "shop"
    failed(qd("secret", "get", row["id"]), 6, "qd secret read REF")


def test_nothing_is_given_out_that_would_not_be_printed(qd: Command, broker: BrokerApi) -> None:
    row = broker.add_request("executed")
    broker.deliver(row, {"password": VALUE, "user": b"shop"})
    failed(qd("secret", "get", row["id"]), 2, "-o json")
    failed(qd("secret", "get", row["id"], "passwd"), 5, "gave no key passwd: password, user.")
    planned = qd("secret", "get", row["id"], "password", "--plan")
    assert (planned.code, VALUE.decode() in planned.out) == (0, False)
    assert "wrap" not in [name for name, _, _ in broker.calls]
    assert json.loads(qd("secret", "get", row["id"], "-o", "json").out)["values"] == {
        "password": VALUE.decode(),
        "user": "shop",
    }


def test_what_waits_gives_nothing_yet(qd: Command, broker: BrokerApi) -> None:
    waiting, going = broker.add_request("pending"), broker.add_request("approved")
    failed(qd("secret", "get", waiting["id"]), 7, "waits for approval", f"qd secret request approve {waiting['id']}")
    failed(qd("secret", "get", going["id"]), 6, "is carried out")


def test_somebody_else_was_faster(qd: Command, broker: BrokerApi) -> None:
    row = broker.add_request("executed")
    broker.deliver(row, {"password": VALUE})

    def taken(*_: str) -> None:
        raise Refusal(410, "wrap already consumed", code="wrap_consumed")

    broker.before["wrap"] = taken
    failed(qd("secret", "get", row["id"], "password"), 6, "each value is given out once")


def test_what_was_given_out_is_printed_even_where_the_rest_fails(qd: Command, broker: BrokerApi) -> None:
    row = broker.add_request("executed")
    broker.deliver(row, {"password": VALUE, "user": b"shop"})

    def second_fails(_request: str, wrap: str) -> None:
        if wrap == identity("d", 1):
            raise Refusal(503, "not now", code="unavailable")

    broker.before["wrap"] = second_fails
    result = qd("secret", "get", row["id"], "-o", "jsonl")
    assert result.code == 9
    assert json.loads(result.out.splitlines()[0])["values"] == {"password": VALUE.decode()}


def test_more_values_than_the_server_gives_in_a_minute_are_waited_for(qd: Command, broker: BrokerApi) -> None:
    row = broker.add_request("executed")
    broker.deliver(row, {"password": VALUE})
    refusals = [Refusal(429, "Too many.", code="rate_limited")] * 3

    def full(*_: str) -> None:
        if refusals:
            raise refusals.pop()

    broker.before["wrap"] = full
    result = qd("secret", "get", row["id"], "password")
    assert (result.code, result.out) == (0, VALUE.decode())
    assert result.err.count("no more values in this minute") == 1


def test_a_sealed_value_is_opened_here_alone(qd: Command, kept: BrokerApi) -> None:
    result = qd(*ASK, "--key", "password", "--seal")
    assert (result.code, result.out) == (0, VALUE.decode())
    first = kept.bodies("ask_read")[0]["recipient_key"]
    kept.course = list(AGREED)
    assert qd(*ASK, "--key", "password", "--seal").out == VALUE.decode()
    assert kept.bodies("ask_read")[1]["recipient_key"] != first


def test_a_sealed_value_without_its_key_is_not_fetched(qd: Command, broker: BrokerApi) -> None:
    row = broker.add_request("executed", recipient_key=secret_waiting.OwnKey().public)
    broker.deliver(row, {"password": VALUE})
    failed(qd("secret", "get", row["id"], "password"), 6, "only the command which asked had", "--seal")
    assert "wrap" not in [name for name, _, _ in broker.calls]


def test_a_value_that_was_altered_on_its_way_is_not_printed(qd: Command, kept: BrokerApi) -> None:
    def alter(_request: str, wrap: str) -> None:
        kept.values[wrap] = kept.values[wrap].replace(b'"nonce":"', b'"nonce":"AAAA', 1)

    kept.before["wrap"] = alter
    result = qd(*ASK, "--key", "password", "--seal")
    failed(result, 1, "does not open with the key")
    assert result.out == ""


def test_a_terminal_is_not_steered_by_a_value(qd: Command, broker: BrokerApi, monkeypatch: pytest.MonkeyPatch) -> None:
    row = broker.add_request("executed")
    broker.deliver(row, {"password": b"\x1b[2Jcanary\x07"})
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    result = qd("secret", "get", row["id"], "password")
    assert (result.code, result.out) == (0, "canary\n")
    assert "control characters" in result.err


def test_an_emergency_is_asked_about_first(qd: Command, broker: BrokerApi) -> None:
    failed(qd(*ASK, "--emergency"), 2, "Everybody who may approve is told at once", "--yes")
    assert broker.changes() == []
    assert qd(*ASK, "--emergency", "--yes").code == 0
    assert broker.bodies("ask_read")[0]["emergency"] is True


@pytest.mark.parametrize(
    ("status", "code", "exit_status", "hint"),
    [
        (400, "justification_required", 2, "--why"),
        (400, "connection_ambiguous", 2, "--connection NAME"),
        (403, "production_needs_approval", 4, "Ask without --direct."),
        (403, "session_not_fresh", 4, "qd login"),
    ],
)
def test_a_refusal_says_what_to_type(
    qd: Command, broker: BrokerApi, status: int, code: str, exit_status: int, hint: str
) -> None:
    def refuse() -> None:
        raise Refusal(status, "It may not be.", code=code, hint="Send something else.")

    broker.before["ask_read"] = refuse
    failed(qd(*ASK, "--direct"), exit_status, "It may not be.", hint)


def test_a_closed_server_is_told_as_such(qd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("QUARTERDECK_TOKEN", "any")
    failed(qd(*ASK), 9, "cannot be reached")
    monkeypatch.delenv("QUARTERDECK_TOKEN")
    failed(qd(*ASK), 3, "qd login")
