"""Setting and rotating secrets, and deciding what others ask for."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cli.conftest import Result, failed
from cli.secrets.broker_api import BrokerApi, identity

Command = Callable[..., Result]
Written = Callable[[str, str], str]
VALUE = "canary-Beta-19c7"
ABOUT = ("--provider", "vault", "--why", "the yearly change")


def test_values_come_from_files_and_stdin(qd: Command, broker: BrokerApi, written: Written) -> None:
    file = written("password", f"{VALUE}\n")
    pem = written("key.pem", "-----BEGIN-----\nabc\n-----END-----\n")
    result = qd("secret", "set", "apps/db", f"password=@{file}", f"key=@{pem}", "user=-", *ABOUT, stdin="shop\r\n")
    assert result.code == 0, result
    assert broker.bodies("ask_set")[0]["key_values"] == {
        "password": VALUE, "user": "shop", "key": "-----BEGIN-----\nabc\n-----END-----\n",
    }  # fmt: skip
    assert VALUE not in result.out + result.err


def test_a_value_in_the_command_line_is_refused_and_not_repeated(qd: Command, broker: BrokerApi) -> None:
    result = qd("secret", "set", "apps/db", f"password={VALUE}", *ABOUT, "-o", "json")
    assert result.code == 2
    assert json.loads(result.out)["error"]["code"] == "secret_in_words"
    for words in ((f"password={VALUE}",), (VALUE,), (f"={VALUE}",)):
        result = qd("secret", "set", "apps/db", *words, *ABOUT)
        failed(result, 2, "@FILE")
        assert VALUE not in result.err + result.out
    assert broker.calls == []


@pytest.mark.parametrize("words", [("a=-", "b=-"), ("a=-", "a=-"), ("a=@/nonexistent",), ("a=-",), ()])
def test_values_that_cannot_be_meant_are_refused(qd: Command, broker: BrokerApi, words: tuple[str, ...]) -> None:
    failed(qd("secret", "set", "apps/db", *words, *ABOUT), 2)
    assert broker.calls == []


def test_a_plan_shows_no_value(qd: Command, broker: BrokerApi) -> None:
    result = qd("secret", "set", "apps/db", "password=-", *ABOUT, "--plan", stdin=VALUE)
    assert (result.code, VALUE in result.out + result.err) == (0, False)
    assert '"password": "****"' in result.out
    result = qd("secret", "connection", "add", "ours", "--provider", "vault", "--credential", "-", "--plan",
                stdin=VALUE)  # fmt: skip
    assert (result.code, VALUE in result.out + result.err) == (0, False)
    assert broker.changes() == []


def test_a_whole_secret_is_replaced_only_where_that_is_said(qd: Command, broker: BrokerApi) -> None:
    broker.course = [{"status": "approved"}, {"status": "executed"}]
    result = qd("secret", "set", "apps/db", "password=-", *ABOUT, "--replace", "--wait", stdin=VALUE)
    assert (result.code, result.out) == (0, "Done: password of apps/db.\n")
    assert broker.changes() == ["ask_replace"]


def test_a_rotation_names_its_keys(qd: Command, broker: BrokerApi) -> None:
    failed(qd("secret", "rotate", "apps/db", *ABOUT), 2, "--key password")
    assert qd("secret", "rotate", "apps/db", "--key", "password", "--length", "40", *ABOUT).code == 0
    assert broker.bodies("ask_rotate")[0] == {
        "target_provider_type": "vault", "target_secret_ref": "apps/db", "justification": "the yearly change",
        "target_keys": ["password"], "length": 40, "alphabet": "letters-digits",
    }  # fmt: skip


def test_requests_are_listed_with_their_project(qd: Command, broker: BrokerApi) -> None:
    assert "Nobody has asked" in qd("secret", "request", "list").err
    project = broker.add_project("shop")
    scope = {"project_id": project["id"], "environment": "production"}
    broker.add_request(target_scope=scope)
    broker.add_request("executed", emergency=True)
    out = qd("secret", "request", "list").out
    assert "shop/production" in out
    assert "waits for approval" in out
    assert "waits for review" in out
    only = qd("secret", "request", "list", "--status", "pending", "-o", "name")
    assert only.out == f"{identity('a', 0)}\n"
    assert qd("secret", "request", "list", "--unreviewed").code == 0
    assert broker.queries("requests")[-1] == {"unreviewed": "true"}


def test_a_request_is_shown_with_who_agreed(qd: Command, broker: BrokerApi) -> None:
    vote = {"id": identity("7", 1), "approver_id": identity("b", 2), "approver_display": "paul", "decision": "approve",
            "created_at": "2026-05-31T12:00:00Z", "comment": "until noon", "step": 0, "counts": False}  # fmt: skip
    row = broker.add_request(
        target_keys=["password"], approvals=[vote], explanation={"sentence": "No policy fits."}, recipient_key="k"
    )
    out = qd("secret", "request", "show", row["id"][:10]).out
    assert "read password of apps/db (vault, no environment, so as production)" in out
    assert "paul agreed, to an earlier version" in out
    assert "No policy fits." in out
    assert json.loads(qd("secret", "request", "show", row["id"], "--json").out)["id"] == row["id"]


def test_an_approval_is_asked_about_first(qd: Command, broker: BrokerApi) -> None:
    row = broker.add_request(steps=[{"name": "approval", "required": 2, "given": 0, "done": False}])
    failed(qd("secret", "request", "approve", row["id"]), 2, "--yes")
    assert broker.changes() == []
    result = qd("secret", "request", "approve", row["id"], "--yes", "--comment", "until noon")
    assert (result.code, result.out) == (0, f"Agreed to {row['id']}; 1 more has to.\n")
    assert broker.bodies("approve") == [{"comment": "until noon"}]
    assert "is carried out" in qd("secret", "request", "approve", row["id"], "-y").out


@pytest.mark.parametrize(
    ("words", "route", "body"),
    [
        (("reject", "--reason", "no"), "reject", {"reason": "no"}),
        (("cancel",), "cancel", {}),
        (("review", "--comment", "fine"), "review", {"comment": "fine"}),
        (("edit", "--why", "longer", "--key", "user"), "edit", {"justification": "longer", "target_keys": ["user"]}),
        (("edit", "password=-"), "edit", {"key_values": {"password": VALUE}}),
    ],
)
def test_a_request_is_decided_and_changed(
    qd: Command, broker: BrokerApi, words: tuple[str, ...], route: str, body: dict[str, object]
) -> None:
    row = broker.add_request()
    result = qd("secret", "request", words[0], row["id"], *words[1:], stdin=VALUE)
    assert result.code == 0, result
    assert broker.bodies(route) == [body]
    assert VALUE not in result.out + result.err


def test_a_request_is_found_by_as_much_of_its_id_as_is_unique(qd: Command, broker: BrokerApi) -> None:
    first = broker.add_request()
    broker.add_request()
    failed(qd("secret", "request", "show", "aaaaaaaa"), 2, "begins the ids of 2", first["id"])
    failed(qd("secret", "request", "show", "bbbb"), 5, "qd secret request list")
    failed(qd("secret", "request", "show", "the one of dora"), 2, "is not the id of a request")
    failed(qd("secret", "request", "cancel", identity("8", 9)), 5, "qd secret request list")
    failed(qd("secret", "request", "edit", first["id"]), 2, "Say what to change")
