"""Signing in, staying signed in, and the file that remembers it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Result, failed
from cli.contract_server import ContractServer, Refusal
from quarterdeck.cli.main import run

Command = Callable[..., Result]
ORGANIZATION = {"organizationId": "org_self_hosted", "name": "Home", "slug": "home", "role": "owner"}
PASSWORD = "correct-horse-battery"


@pytest.fixture
def door(home: Path) -> Iterator[ContractServer]:
    """A server where ada may sign in; each refresh token works once."""
    with ContractServer() as server:
        server.outside["GET", "/api/auth/status"] = {"setup_required": False}
        server.outside["POST", "/api/auth/login"] = _login(server)
        server.outside["POST", "/api/auth/refresh"] = _refresh(server)
        server.outside["POST", "/api/auth/logout"] = {"success": True}
        server.answers["projects.list"] = {"items": []}
        server.answers["organizations.current-context"] = {
            "user": {"userId": "u1", "email": "ada@example.test", "displayName": "Ada"},
            "currentOrganization": {
                "organizationId": "org_self_hosted",
                "name": "Home",
                "slug": "home",
                "role": "owner",
            },
            "organizations": [],
            "loginMethods": [],
        }
        server.tokens = set()
        yield server
        assert server.wrong == []


def _login(server: ContractServer) -> Any:
    def answer(_p: Any, _q: Any, body: dict[str, Any]) -> Any:
        if body.get("password") != PASSWORD:
            return Refusal(401, "invalid_credentials", "This name and this password do not go together.")
        server.tokens = {"access-1"}
        return {"access_token": "access-1", "refreshToken": "refresh-1", "user": {"username": "ada"}}

    return answer


def _refresh(server: ContractServer) -> Any:
    def answer(_p: Any, _q: Any, body: dict[str, Any]) -> Any:
        number = int(body["refreshToken"].removeprefix("refresh-"))
        if number in server.__dict__.setdefault("used", set()):
            return Refusal(401, "product_auth_invalid", "This refresh token was used before.")
        server.__dict__["used"].add(number)
        server.tokens = {f"access-{number + 1}"}
        return {"access_token": f"access-{number + 1}", "refreshToken": f"refresh-{number + 1}"}

    return answer


def test_a_password_from_stdin_signs_in_and_only_its_owner_can_read_the_file(
    qd: Command, door: ContractServer, home: Path
) -> None:
    result = qd("login", door.url, "--username", "ada", "--password", "-", stdin=PASSWORD + "\n")
    assert (result.code, result.out) == (0, f"Signed in to {door.url} as ada.\n")
    file = home / "config" / "quarterdeck" / "profiles.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in file.read_text()
    assert qd("ls", "projects").code == 0


def test_a_wrong_password_ends_with_three_and_keeps_nothing(qd: Command, door: ContractServer, home: Path) -> None:
    result = qd("login", door.url, "--username", "ada", "--password", "nope")
    assert result.code == 3
    assert "do not go together" in result.err
    assert not (home / "config" / "quarterdeck" / "profiles.json").exists()


@pytest.mark.parametrize("given", [(), ("--username", "ada")])
def test_without_a_terminal_and_without_credentials_it_fails_with_two_and_names_every_other_way(
    qd: Command, door: ContractServer, given: tuple[str, ...]
) -> None:
    result = qd("login", door.url, *given)
    failed(result, 2, "no terminal", "--password -", "--token -", "QUARTERDECK_TOKEN")


def test_begun_with_stdin_closed_it_says_the_same(
    door: ContractServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert run(("login", door.url)) == 2
    sys.stdin.close()
    assert "--password -" in capsys.readouterr().err


def test_what_a_profile_keeps_survives_another_login_to_the_same_server(qd: Command, door: ContractServer) -> None:
    words = ("login", door.url, "--username", "ada", "--password", "-")
    assert qd(*words, stdin=PASSWORD + "\n").code == 0
    assert qd("config", "set", "default-project", "WEB").code == 0
    assert qd(*words, stdin=PASSWORD + "\n").code == 0
    assert qd("config", "get", "default-project").out == "WEB\n"


def test_a_token_is_tried_before_it_is_kept(qd: Command, door: ContractServer) -> None:
    assert qd("login", door.url, "--token", "-", stdin="unknown\n").code == 3
    door.tokens = {"machine"}
    result = qd("login", door.url, "--token", "-", "-o", "json", stdin="machine\n")
    assert result.code == 0
    assert json.loads(result.out)["user"] == "ada@example.test"


def test_an_expired_credential_is_renewed_unseen_and_the_new_pair_is_kept(qd: Command, door: ContractServer) -> None:
    qd("login", door.url, "--username", "ada", "--password", PASSWORD)
    for _ in range(3):
        door.tokens = set()
        assert qd("ls", "projects").code == 0


def test_when_renewing_fails_it_says_how_to_sign_in_again(qd: Command, door: ContractServer) -> None:
    qd("login", door.url, "--username", "ada", "--password", PASSWORD)
    door.tokens = set()
    door.__dict__["used"] = {1}
    result = qd("ls", "projects")
    assert result.code == 3
    assert f"qd login {door.url}" in result.err


def test_signing_out_forgets_the_credential_and_keeps_the_address(
    qd: Command, door: ContractServer, home: Path
) -> None:
    qd("login", door.url, "--username", "ada", "--password", PASSWORD)
    assert qd("logout").code == 0
    text = (home / "config" / "quarterdeck" / "profiles.json").read_text()
    assert "access-1" not in text
    assert "refresh-1" not in text
    assert "signed out" in qd("profiles").out
    assert qd("ls").code == 3
    assert qd("login", "--username", "ada", "--password", PASSWORD).code == 0


def test_several_servers_are_kept_apart(qd: Command, door: ContractServer) -> None:
    qd("login", door.url, "--username", "ada", "--password", PASSWORD, "--profile", "work")
    with ContractServer() as other:
        other.tokens = {"other"}
        other.answers = {**door.answers, "projects.list": {"items": []}}
        other.outside = dict(door.outside)
        assert qd("login", other.url, "--token", "other", "--profile", "home").code == 0
        assert qd("profiles", "-o", "name").out == "home\nwork\n"
        assert qd("ls", "projects").code == 0
        assert len(other.called("projects.list")) == 1
        assert qd("ls", "projects", "--profile", "work").code == 0
        assert qd("profiles", "work").code == 0
        assert qd("ls", "projects").code == 0
        assert len(door.called("projects.list")) == 2


def test_the_environment_comes_first(qd: Command, door: ContractServer, monkeypatch: pytest.MonkeyPatch) -> None:
    door.tokens = {"from-environment"}
    monkeypatch.setenv("QUARTERDECK_URL", door.url)
    monkeypatch.setenv("QUARTERDECK_TOKEN", "from-environment")
    assert qd("ls", "projects").code == 0
    assert qd("profiles", "-o", "name").out == ""


def test_a_token_without_an_address_is_sent_nowhere(
    qd: Command, door: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert qd("login", door.url, "--username", "ada", "--password", PASSWORD).code == 0
    monkeypatch.setenv("QUARTERDECK_TOKEN", "for-another-server")
    assert qd("ls", "projects").code == 0


def test_a_server_without_administrator_is_told_plainly(qd: Command, door: ContractServer) -> None:
    door.outside["GET", "/api/auth/status"] = {"setup_required": True}
    result = qd("login", door.url, "--username", "ada", "--password", PASSWORD)
    assert result.code == 3
    assert "no administrator yet" in result.err
    assert f"{door.url}/console/" in result.err


def test_a_damaged_file_is_told_with_the_way_out(qd: Command, home: Path) -> None:
    directory = home / "config" / "quarterdeck"
    directory.mkdir(parents=True)
    (directory / "profiles.json").write_text("{")
    result = qd("ls")
    assert result.code == 2
    assert "Try:   rm " in result.err
