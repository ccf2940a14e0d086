"""Helping people in from the machine itself."""

from __future__ import annotations

import pytest

from backups.house import House
from maintenance.commands import addressed, typed
from quarterdeck.identity import passwords, sessions, setup, users
from quarterdeck.kernel import audit
from quarterdeck.kernel.vault import Secret


@pytest.fixture
def at(house: House):
    def run(*arguments: str, given: str = ""):
        variables = addressed(house.directory, house.url)
        return typed("admin", *arguments, "--data-dir", str(house.directory), given=given, **variables)

    return run


def signed_in(instance) -> str:
    def verb(tx):
        user = users.find(tx, "ada")
        return sessions.open_session(tx, user, setup.default_organization(tx), kinds=("session",), client_kind="web")

    return instance.db.write_sync(verb).tokens["session"].reveal()


def stored(tx) -> str:
    return users.find(tx, "ada").password_hash


def actions(instance) -> list[str]:
    return instance.db.read_sync(
        lambda tx: [row[0] for row in tx.execute("SELECT action FROM audit_events ORDER BY id")]
    )


def test_a_drawn_password_lets_in_and_every_session_ends(house: House, at):
    with house.opened() as instance:
        token = signed_in(instance)
        assert instance.db.read_sync(sessions.authenticate, token) is not None
    status, told = at("reset-password", "ADA@example.com")
    assert status == 0
    assert (told["username"], told["sessionsEnded"]) == ("ada", 1)
    with house.opened() as instance:
        assert passwords.matches(instance.db.read_sync(stored), Secret(told["password"]))
        assert instance.db.read_sync(sessions.authenticate, token) is None
        assert actions(instance)[-1] == "user.password-reset"
        assert instance.db.read_sync(audit.verify).ok


def test_a_chosen_password_comes_from_stdin_and_is_not_repeated(house: House, at):
    status, told = at("reset-password", "ada", "--password", "-", given="correct horse battery\n")
    assert status == 0
    assert "password" not in told
    with house.opened() as instance:
        assert passwords.matches(instance.db.read_sync(stored), Secret("correct horse battery"))


def test_a_password_on_the_command_line_or_too_short_is_refused(house: House, at):
    assert at("reset-password", "ada", "--password", "correct horse")[1]["error"]["code"] == "usage"
    assert at("reset-password", "ada", "--password", "-", given="short\n")[1]["error"]["code"] == "validation_error"
    with house.opened() as instance:
        assert instance.db.read_sync(stored) == "x"


def test_an_unknown_user_and_an_unknown_role_are_refused_with_those_there_are(at):
    status, told = at("reset-password", "nobody")
    assert (status, told["error"]["code"]) == (5, "user_not_found")
    assert "ada" in told["error"]["hint"]
    status, told = at("grant", "ada", "king")
    assert (status, told["error"]["code"]) == (2, "role_unknown")
    assert "organization:owner" in told["error"]["hint"]


def test_a_granted_role_holds(house: House, at):
    from quarterdeck.access import grants

    def extra(tx):
        return users.create(tx, username="bob", password_hash="x").id

    with house.opened() as instance:
        bob = instance.db.write_sync(extra)
    assert at("grant", "bob") == (0, {"username": "bob", "role": "organization:owner"})
    assert at("grant", "bob")[0] == 0
    with house.opened() as instance:
        organization = instance.db.write_sync(setup.default_organization).id
        assert instance.db.read_sync(grants.roles_of, bob, organization) == ["organization:owner"]
        assert actions(instance)[-1] == "user.role-granted"


def test_while_the_server_runs_nothing_is_done(house: House, at):
    with house.opened():
        for command in (("reset-password", "ada"), ("grant", "ada")):
            status, told = at(*command)
            assert (status, told["error"]["code"]) == (6, "data_directory_in_use")
            assert "Stop process" in told["error"]["hint"]
    with house.opened() as instance:
        assert instance.db.read_sync(stored) == "x"
