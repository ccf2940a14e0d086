"""`qd password`, `qd second-factor`, `qd login` by the browser: what is asked, what is sent, what is shown where."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Result
from cli.contract_server import ContractServer, Refusal
from quarterdeck.cli.terminal import Terminal

Command = Callable[..., Result]
CODES = ["0a1b2c3d-4e5f6a7b", "1a1b2c3d-4e5f6a7b"]
CONTEXT = {
    "user": {"userId": "u1", "email": "ada@example.test", "displayName": "Ada"},
    "currentOrganization": {"organizationId": "org_self_hosted", "name": "Home", "slug": "home", "role": "owner"},
    "organizations": [],
    "loginMethods": [],
}


class Sent(list[Any]):
    """The bodies that a route was sent; answers what it is made with."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def __call__(self, _parameters: Any, _query: Any, body: Any) -> Any:
        self.append(body)
        return self.answer


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person types unseen, in this order."""
    typed: list[str] = []
    monkeypatch.setattr(Terminal, "asks", property(lambda self: not self.no_input))
    monkeypatch.setattr(getpass, "getpass", lambda _prompt, stream: typed.pop(0))
    return typed


def test_a_password_is_asked_for_unseen_and_the_new_one_twice(
    qd: Command, server: ContractServer, at_a_terminal: list[str]
) -> None:
    server.outside["POST", "/api/users/password"] = sent = Sent({"status": "ok"})
    at_a_terminal += ["the present one", "a new password", "a new passwort"]
    differs = qd("password")
    assert (differs.code, "not the same" in differs.err, sent) == (2, True, [])
    at_a_terminal += ["the present one", "a new password", "a new password"]
    done = qd("password")
    assert (done.code, "Your other sessions have ended." in done.out) == (0, True)
    assert sent == [{"current_password": "the present one", "new_password": "a new password"}]


def test_a_password_comes_from_stdin_where_nobody_is_and_is_in_no_plan(qd: Command, server: ContractServer) -> None:
    server.outside["POST", "/api/users/password"] = sent = Sent({"status": "ok"})
    assert qd("password").code == 2
    plan = qd("password", "--plan")
    assert (plan.code, "POST /api/users/password" in plan.out, "****" in plan.out, sent) == (0, True, True, [])
    assert qd("password", "--stdin", stdin=" with a space \na new password\n").code == 0
    assert sent == [{"current_password": " with a space ", "new_password": "a new password"}]


def test_a_second_factor_is_drawn_confirmed_and_its_codes_stand_alone_on_stdout(
    qd: Command, server: ContractServer, at_a_terminal: list[str]
) -> None:
    address = "otpauth://totp/Quarterdeck:ada?secret=JBSWY3DPEHPK3PXP&issuer=Quarterdeck"
    begun = {"totp_secret": "JBSWY3DPEHPK3PXP", "otpauth_uri": address, "qr_code": ""}
    server.outside["POST", "/api/auth/mfa/enroll"] = Sent(begun)
    server.outside["POST", "/api/auth/mfa/confirm"] = sent = Sent({"backup_codes": CODES})
    done = qd("second-factor", "on", stdin=" 123456 \n")
    assert (done.code, done.out) == (0, "\n".join(CODES) + "\n")
    assert sent == [{"code": "123456"}]
    assert "JBSWY3DPEHPK3PXP" in done.err
    assert "▄" in done.err
    plain = qd("second-factor", "on", "--ascii", "-o", "json", stdin="123456\n")
    assert json.loads(plain.out) == {"backup_codes": CODES}
    assert "▄" not in plain.err


def test_nothing_is_begun_where_nobody_could_confirm_it(qd: Command, server: ContractServer) -> None:
    server.outside["POST", "/api/auth/mfa/enroll"] = begun = Sent({})
    assert qd("second-factor", "on").code == 2
    assert begun == []


def test_a_second_factor_is_told_renewed_and_turned_off_by_a_code(qd: Command, server: ContractServer) -> None:
    state = {"mfa_enabled": True, "enrolled_at": "2026-05-31T12:00:00Z", "backup_codes_remaining": 7}
    server.outside["GET", "/api/auth/mfa/status"] = state
    server.outside["POST", "/api/auth/mfa/backup-codes/regenerate"] = renewed = Sent({"backup_codes": CODES})
    server.outside["POST", "/api/auth/mfa/disable"] = off = Sent({"status": "ok"})
    assert "7 recovery codes left" in qd("second-factor", "show").out
    assert qd("second-factor", "codes").code == 2, "nobody to ask"
    assert qd("second-factor", "codes", "--code", "123456").out == "\n".join(CODES) + "\n"
    assert qd("second-factor", "off", "--code", CODES[0]).code == 0
    assert (renewed, off) == ([{"code": "123456"}], [{"code": CODES[0]}])


def plainly(status: int, message: str) -> Refusal:
    """A refusal in the words of the infra surface, which tells no code."""
    made = Refusal(status, "", message)
    made.body = {"error": message}
    return made


@pytest.fixture
def browser(
    server: ContractServer, monkeypatch: pytest.MonkeyPatch, at_a_terminal: list[str], impatient: None
) -> ContractServer:
    """A server whose device logins are approved at the fourth question."""
    for name in ("QUARTERDECK_URL", "QUARTERDECK_TOKEN", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    server.outside["GET", "/api/auth/status"] = {"setup_required": False}
    server.answers |= {"organizations.current-context": CONTEXT, "projects.list": {"items": []}}
    asked: list[str] = server.__dict__.setdefault("asked", [])

    def exchange(_p: Any, _q: Any, body: dict[str, str]) -> Any:
        asked.append(body["device_code"])
        if len(asked) == 2:
            raise plainly(429, "Too many questions.")
        if len(asked) < 4:
            raise plainly(404, "Nobody has approved this login yet.")
        server.tokens = {"device-1"}
        return {"access_token": "device-1", "refresh_token": "renewal-1", "provider_token": None, "user_email": None}

    server.outside["POST", "/api/auth/cli/exchange"] = exchange
    return server


def test_at_a_terminal_without_a_name_the_browser_lets_it_in_and_the_credential_is_renewed(
    qd: Command, browser: ContractServer, home: Path
) -> None:
    result = qd("login", browser.url)
    assert (result.code, result.out) == (0, f"Signed in to {browser.url} as ada@example.test.\n")
    (code,) = set(browser.__dict__["asked"])
    assert len(code) == 32
    assert f"{browser.url}/cli/login?device_code={code}" in result.err
    saved = json.loads((home / "config" / "quarterdeck" / "profiles.json").read_text())["profiles"]
    (profile,) = saved.values()
    assert (profile["token"], profile["renewal"], profile["refresh"]) == ("device-1", "renewal-1", None)
    renewals = Sent({"access_token": "device-2"})
    browser.outside["POST", "/api/auth/cli/refresh"] = renewals
    browser.tokens = {"device-2"}
    assert qd("ls", "projects").code == 0
    browser.outside["POST", "/api/auth/cli/refresh"] = again = Sent({"access_token": "device-3"})
    browser.tokens = {"device-3"}
    assert qd("ls", "projects").code == 0
    assert renewals + again == [{"refresh_token": "renewal-1"}] * 2


def test_when_the_session_has_ended_it_is_said_and_the_credential_forgotten(
    qd: Command, browser: ContractServer, home: Path
) -> None:
    def over(*_: Any) -> Any:
        raise plainly(401, "This refresh token is not valid.")

    assert qd("login", browser.url).code == 0
    browser.tokens = set()
    browser.outside["POST", "/api/auth/cli/refresh"] = over
    result = qd("ls", "projects")
    assert (result.code, f"qd login {browser.url}" in result.err) == (3, True)
    assert "renewal-1" not in (home / "config" / "quarterdeck" / "profiles.json").read_text()


def test_a_login_that_is_refused_in_the_browser_keeps_nothing(qd: Command, browser: ContractServer, home: Path) -> None:
    def refused(*_: Any) -> Any:
        raise plainly(400, "This login is over: it was refused, or the program is in already.")

    browser.outside["POST", "/api/auth/cli/exchange"] = refused
    result = qd("login", browser.url)
    assert (result.code, "it was refused" in result.err) == (3, True)
    assert not (home / "config" / "quarterdeck" / "profiles.json").exists()


def test_a_user_name_keeps_the_way_by_password(qd: Command, browser: ContractServer, at_a_terminal: list[str]) -> None:
    user = {"access_token": "access-1", "refreshToken": "refresh-1", "user": {"username": "ada"}}
    browser.outside["POST", "/api/auth/login"] = sent = Sent(user)
    at_a_terminal += ["a password of ada"]
    assert qd("login", browser.url, "--username", "ada").code == 0
    assert sent == [{"username": "ada", "password": "a password of ada"}]
    assert "asked" not in browser.__dict__ or browser.__dict__["asked"] == []
    assert qd("login", browser.url, "--no-input").code == 2
