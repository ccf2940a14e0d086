"""Fifteen minutes to act, seven days to renew; whoever renews with what was used before ends it all."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from quarterdeck.identity.model import SessionToken, UserSession
from quarterdeck.identity.sessions import token_hash

PROFILE = "/api/web/profile"


async def test_a_sign_in_gives_a_pair_of_the_documented_lives(crew):
    made = await crew.tokens()
    assert {"accessToken", "refreshToken", "expiresIn", "user"} <= made.keys()
    assert made["expiresIn"] == 900

    def lives(tx):
        rows = {one: tx.get(SessionToken, token_hash(made[one])) for one in ("accessToken", "refreshToken")}
        return {one: row.expires_at - tx.now for one, row in rows.items()}

    left = await crew.db.read(lives)
    assert timedelta(minutes=14) < left["accessToken"] <= timedelta(minutes=15)
    assert timedelta(days=6, hours=23) < left["refreshToken"] <= timedelta(days=7)
    assert (await crew.ok("GET", PROFILE, token=made["accessToken"]))["name"] == "ada"
    assert (await crew.send("GET", PROFILE, token=made["refreshToken"])).status_code == 401


async def test_a_refresh_rotates_and_is_audited_once(crew):
    made = await crew.tokens()
    fresh = await crew.once(
        "session.refreshed", "POST", "/api/auth/refresh", {"refreshToken": made["refreshToken"]}, token=None
    )
    assert fresh["refreshToken"] != made["refreshToken"]
    assert fresh["expiresIn"] == 900
    assert (await crew.ok("GET", PROFILE, token=fresh["accessToken"]))["name"] == "ada"


async def test_reuse_ends_the_whole_family(crew):
    made = await crew.tokens()
    fresh = await crew.ok("POST", "/api/auth/refresh", {"refreshToken": made["refreshToken"]}, token=None)
    newest = await crew.ok("POST", "/api/auth/refresh", {"refreshToken": fresh["refreshToken"]}, token=None)
    body = {"refreshToken": made["refreshToken"]}
    await crew.refused(401, "REFRESH_REUSED", "POST", "/api/auth/refresh", body, token=None)
    last = (await crew.told())[-1]
    assert (last["action"], last["outcome"]) == ("session.refresh-reused", "denied")
    for token in (made["accessToken"], fresh["accessToken"], newest["accessToken"]):
        await crew.refused(401, "PRODUCT_AUTH_MISSING", "GET", PROFILE, token=token)
    body = {"refreshToken": newest["refreshToken"]}
    await crew.refused(401, "PRODUCT_AUTH_INVALID", "POST", "/api/auth/refresh", body, token=None)


async def test_a_refresh_of_another_shape_is_told_in_the_envelope(crew):
    for body in ({}, {"refreshToken": 7}, {"refreshToken": None}, []):
        await crew.refused(400, "VALIDATION_ERROR", "POST", "/api/auth/refresh", body, token=None)


async def test_an_unknown_an_expired_and_an_access_token_renew_nothing(crew):
    made = await crew.tokens()

    def age(tx):
        tx.get(SessionToken, token_hash(made["refreshToken"])).expires_at = tx.now

    await crew.db.write(age)
    for token in ("nothing", "", made["accessToken"], made["refreshToken"], "\u00e9", "a.b.c"):
        body = {"refreshToken": token}
        await crew.refused(401, "PRODUCT_AUTH_INVALID", "POST", "/api/auth/refresh", body, token=None)


async def test_a_sign_out_ends_the_session_with_its_refresh_token(crew):
    made = await crew.tokens()
    body = {"refreshToken": made["refreshToken"]}
    told = await crew.once("session.signed-out", "POST", "/api/auth/logout", body, token=made["accessToken"])
    assert told == {"success": True}
    await crew.refused(401, "PRODUCT_AUTH_INVALID", "POST", "/api/auth/refresh", body, token=None)
    await crew.refused(401, "PRODUCT_AUTH_MISSING", "GET", PROFILE, token=made["accessToken"])


async def test_a_sign_out_with_the_refresh_token_of_another_session_of_ones_own_ends_both(crew):
    one, two = await crew.tokens(), await crew.tokens()
    await crew.ok("POST", "/api/auth/logout", {"refreshToken": two["refreshToken"]}, token=one["accessToken"])
    for made in (one, two):
        await crew.refused(401, "PRODUCT_AUTH_MISSING", "GET", PROFILE, token=made["accessToken"])


async def test_a_sign_out_never_touches_what_is_not_the_callers(crew):
    await crew.ok("POST", "/api/admin/developers", {"name": "bob", "password": "a password of bob"}, status=201)
    bob, ada = await crew.tokens("bob", "a password of bob"), await crew.tokens()
    for token in (ada["refreshToken"], "nothing"):
        session = await crew.tokens("bob", "a password of bob")
        told = await crew.ok("POST", "/api/auth/logout", {"refreshToken": token}, token=session["accessToken"])
        assert told == {"success": True}
    assert (await crew.ok("GET", PROFILE, token=ada["accessToken"]))["name"] == "ada"
    assert (await crew.ok("GET", PROFILE, token=bob["accessToken"]))["name"] == "bob"
    assert (await crew.send("POST", "/api/auth/logout", {}, token=None)).status_code == 401


async def test_every_token_of_a_session_that_somebody_stole_ends_with_it(crew):
    made = await crew.tokens()

    def revoke(tx):
        named = select(UserSession).join(SessionToken).where(SessionToken.hash == token_hash(made["accessToken"]))
        tx.first(named).revoked_at = tx.now

    await crew.db.write(revoke)
    for token in (made["accessToken"], made["access_token"]):
        assert (await crew.send("GET", PROFILE, token=token)).status_code == 401
    body = {"refreshToken": made["refreshToken"]}
    await crew.refused(401, "PRODUCT_AUTH_INVALID", "POST", "/api/auth/refresh", body, token=None)
