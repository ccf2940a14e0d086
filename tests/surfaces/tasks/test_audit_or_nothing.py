"""A change is kept with its audit event or not at all."""

from __future__ import annotations

import uuid

import pyotp
from sqlalchemy import text

from quarterdeck.kernel import audit
from support.deck import PASSWORD

TABLES = (
    "identity_users",
    "identity_sessions",
    "identity_session_tokens",
    "identity_personal_tokens",
    "identity_recovery_codes",
    "identity_links",
    "access_grants",
    "tasks_settings",
    "domain_events",
)


async def kept(crew) -> dict[str, list[str]]:
    def rows(tx):
        return {name: sorted(str(row) for row in tx.execute(text(f"SELECT * FROM {name}"))) for name in TABLES}

    return await crew.db.read(rows)


async def test_no_change_outlives_an_audit_event_that_could_not_be_written(crew, monkeypatch):
    bob = {"name": "bob", "password": "a password of bob", "role": "lead"}
    person = await crew.ok("POST", "/api/admin/developers", bob, status=201)
    session = await crew.tokens("bob", bob["password"])
    pending = await crew.ok("POST", "/api/web/profile/totp/setup")
    token = await crew.ok("POST", "/api/web/profile/tokens", {"label": "x"}, status=201)
    login = {"device_code": str(uuid.uuid4())}
    await crew.ok("POST", "/api/auth/cli/generate", login)
    whose = {"token": session["accessToken"]}
    there = f"/api/admin/developers/{person['id']}"
    changes = [
        ("POST", "/api/web/profile/totp/verify", {"code": pyotp.TOTP(pending["secret"]).now()}, {}),
        ("PUT", "/api/web/profile", {"gitName": "Ada"}, {}),
        ("PUT", "/api/web/profile/password", {"currentPassword": PASSWORD, "newPassword": PASSWORD + "!"}, {}),
        ("POST", "/api/web/profile/totp/setup", {}, whose),
        ("POST", "/api/web/profile/tokens", {"label": "y"}, {}),
        ("POST", f"/api/web/profile/tokens/{token['id']}/revoke", {}, {}),
        ("POST", "/api/admin/developers", {**bob, "name": "carol"}, {}),
        ("PUT", there, {"role": "developer"}, {}),
        ("PUT", there, {"password": "a new one of bob"}, {}),
        ("PUT", there, {"isActive": False}, {}),
        ("PUT", "/api/admin/settings", {"tunnelTtlHours": 8}, {}),
        ("POST", "/api/auth/refresh", {"refreshToken": session["refreshToken"]}, {"token": None}),
        ("POST", "/api/auth/logout", {}, whose),
        ("POST", "/api/auth/login", {"username": "bob", "password": bob["password"]}, {"token": None}),
        ("POST", "/api/auth/cli/generate", {"device_code": str(uuid.uuid4())}, {}),
        ("POST", "/api/auth/cli/exchange", login, {"token": None}),
    ]
    before = await kept(crew)

    def full(*_args, **_more):
        raise RuntimeError("the trail is full")

    monkeypatch.setattr(audit, "record", full)
    for method, path, body, options in changes:
        answer = await crew.send(method, path, body, **options)
        assert answer.status_code == 500, (path, answer.text)
        assert "trail" not in answer.text
        assert await kept(crew) == before, path
    monkeypatch.undo()
    for method, path, body, options in changes:
        if path not in {"/api/auth/logout", "/api/web/profile/password", "/api/web/profile/totp/verify"} and (
            method,
            path,
        ) != ("PUT", there):
            answer = await crew.send(method, path, body, **options)
            assert answer.status_code in {200, 201}, (path, answer.text)
