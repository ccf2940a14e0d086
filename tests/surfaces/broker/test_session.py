"""Signing in and out over the broker surface."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from quarterdeck.identity.model import SessionToken
from support.deck import PASSWORD
from support.lodge import code

LOGIN = {"email": " ADA ", "password": PASSWORD}
PATH = "/api/v1/auth/login"


async def test_a_sign_in_answers_a_token_and_the_same_session_as_a_cookie(lodge):
    answer = await lodge.send("POST", PATH, LOGIN, token=None)
    assert answer.status_code == 200
    found = answer.json()
    assert found.keys() == {"token", "expires_at", "user"}
    assert found["user"] == {"id": lodge.ada.uid, "email": None, "display_name": "ada"}
    assert len(found["expires_at"]) == len("2026-01-01T00:00:00Z")
    assert (await lodge.told())[-1]["action"] == "session.signed-in"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("sb_session=")
    for part in ("HttpOnly", "Path=/", "SameSite=strict", "Max-Age=28800"):
        assert part.lower() in cookie.lower()
    value = cookie.partition("=")[2].partition(";")[0]
    as_cookie = {"cookie": f"sb_session={value}"}
    assert (await lodge.send("GET", "/api/v1/roles", token=None, headers=as_cookie)).status_code == 200
    assert (await lodge.send("GET", "/api/v1/roles", token=found["token"])).status_code == 200
    # A page elsewhere cannot write by it.
    foreign = {**as_cookie, "origin": "http://evil.example.net"}
    await lodge.refused(403, "POST", "/api/v1/auth/logout", token=None, headers=foreign)
    out = await lodge.send(
        "POST", "/api/v1/auth/logout", token=None, headers={**as_cookie, "origin": "http://localhost"}
    )
    assert (out.status_code, out.content) == (204, b"")
    assert "max-age=0" in out.headers["set-cookie"].lower()
    assert (await lodge.told())[-1]["action"] == "session.signed-out"
    for more in ({"token": found["token"]}, {"token": None, "headers": as_cookie}):
        refused = await lodge.refused(401, "GET", "/api/v1/roles", **more)
        assert refused.json()["error"] == "authentication required"
    rows = await lodge.deck.instance.db.read(
        lambda tx: [str(row) for row in tx.execute(text("SELECT * FROM identity_session_tokens"))]
    )
    assert not any(found["token"] in row for row in rows)


async def test_half_an_hour_without_a_request_ends_the_session(lodge):
    """By token and by cookie alike; what is used goes on, until its eight hours are over."""

    async def put_back(minutes: int, column: str = "used_at") -> None:
        moment = lodge.deck.instance.db.clock.now() - timedelta(minutes=minutes)
        change = update(SessionToken).where(SessionToken.kind == "broker").values({column: moment})
        await lodge.deck.instance.db.write(lambda tx: tx.execute(change))

    async def statuses() -> list[int]:
        asked = ({"token": token}, {"token": None, "headers": cookie})
        return [(await lodge.send("GET", "/api/v1/roles", **one)).status_code for one in asked]

    async def sign_in() -> tuple[str, dict[str, str]]:
        answer = await lodge.send("POST", PATH, LOGIN, token=None)
        value = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
        return answer.json()["token"], {"cookie": f"sb_session={value}"}

    token, cookie = await sign_in()
    for _ in range(3):  # an hour and a quarter, in steps
        await put_back(25)
        assert await statuses() == [200, 200]
    await put_back(31)
    assert await statuses() == [401, 401]
    assert await statuses() == [401, 401]  # asking did not wake it
    assert (await lodge.send("GET", "/api/auth/me")).status_code == 200  # of another surface
    token, cookie = await sign_in()
    await put_back(1, "expires_at")
    assert await statuses() == [401, 401]


async def test_whatever_is_wrong_is_answered_alike(lodge):
    bob = await lodge.person("bob", active=False)
    wrong = [
        {}, {"email": "ada"}, {"password": PASSWORD}, {**LOGIN, "password": "wrong"}, {**LOGIN, "email": "nobody"},
        {"email": bob.name, "password": PASSWORD}, {"email": "", "password": ""},
    ]  # fmt: skip
    for body in wrong:
        answer = await lodge.refused(401, "POST", PATH, body, token=None)
        assert answer.json()["error"] == "invalid credentials"
        assert "set-cookie" not in answer.headers
    attempts = [one for one in await lodge.told() if one["action"] == "session.sign-in-failed"]
    assert {one["outcome"] for one in attempts} == {"denied"}


@pytest.mark.parametrize("body", [{"email": 5}, [], {"password": None}])
async def test_a_body_of_another_shape_is_refused_in_the_surfaces_envelope(lodge, body):
    answer = await lodge.refused(400, "POST", PATH, body, token=None)
    assert answer.json().keys() == {"error", "message"}
    headers = {"content-type": "application/json"}
    broken = await lodge.deck.client.post(PATH, content=b"{", headers=headers)
    assert (broken.status_code, broken.json()["error"]) == (400, "invalid JSON body")


async def test_a_second_factor_is_asked_for(lodge):
    begun = await lodge.do("POST", "/api/auth/mfa/enroll", tells="user.second-factor-begun")
    secret = begun["totp_secret"]
    confirm = {"code": code(secret)}
    await lodge.do("POST", "/api/auth/mfa/confirm", confirm, tells="user.second-factor-enabled")
    await lodge.refused(401, "POST", PATH, LOGIN, token=None, says="second factor")
    await lodge.refused(401, "POST", PATH, {**LOGIN, "totp_code": confirm["code"]}, token=None)  # it confirmed
    once = {**LOGIN, "totp_code": code(secret, 1)}
    await lodge.do("POST", PATH, once, tells="session.signed-in", token=None)
    await lodge.refused(401, "POST", PATH, once, token=None)


async def test_a_program_has_no_session_to_end(lodge):
    program = await lodge.program(lodge.ada)
    await lodge.refused(403, "POST", "/api/v1/auth/logout", by=program)
    assert (await lodge.send("GET", "/api/v1/permissions", by=program)).status_code == 200
