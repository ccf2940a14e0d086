"""The first administrator, signing in, and what the installation says about itself."""

from __future__ import annotations

import re

from support.deck import EMAIL, PASSWORD, signed_in
from support.people import noted

ADA = {"email": EMAIL, "displayName": "Ada"}


async def test_the_first_administrator_is_created_once(fresh):
    before = await fresh.do("auth.bootstrap-status", token=None)
    assert (before["bootstrapRequired"], before["nextSteps"]) == (True, ["create-first-admin"])
    made = await fresh.do("auth.bootstrap-first-admin", ADA, token=None)
    assert re.fullmatch(r"aplt-admin-\w{12}-\w{12}", made["generatedPassword"])
    assert (made["organizationId"], made["organizationSlug"]) == ("org_self_hosted", "self-hosted-appaloft")
    after = await fresh.do("auth.bootstrap-status", token=None)
    assert after["bootstrapRequired"] is False
    body = {**ADA, "email": "eve@example.com"}
    await fresh.refused(404, "first_admin_bootstrap_disabled", "auth.bootstrap-first-admin", body, token=None)
    credentials = {"email": EMAIL, "password": made["generatedPassword"]}
    answer = await fresh.send("POST", "/api/auth/sign-in/email", credentials, token=None)
    assert answer.status_code == 200


async def test_a_wrong_address_is_refused_and_nobody_is_created(fresh):
    for email in ("ada", "ada@", "@example.com", "a b@example.com", "x" * 400 + "@example.com"):
        answer = await fresh.request("auth.bootstrap-first-admin", {**ADA, "email": email}, token=None)
        assert answer.status_code == 400, answer.text
    assert (await fresh.do("auth.bootstrap-status", token=None))["bootstrapRequired"] is True


async def test_a_session_is_known_by_cookie_by_signed_and_by_bare_token(fresh):
    deck = await signed_in(fresh)
    credentials = {"email": EMAIL, "password": PASSWORD}
    answer = await deck.send("POST", "/api/auth/sign-in/email", credentials, token=None)
    assert answer.json()["redirect"] is False
    signed, bare = answer.headers["set-auth-token"], answer.json()["token"]
    assert signed.startswith(bare + ".")
    cookie = next(row for row in answer.headers.get_list("set-cookie") if row.startswith("better-auth.session_token="))
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    deck.client.cookies.clear()
    for token in (signed, bare):
        assert await deck.do("projects.count", token=token) == {"count": 0}
    cookies = {"cookie": f"better-auth.session_token={signed}"}
    assert (await deck.send("GET", "/api/projects", token=None, headers=cookies)).status_code == 200
    # A browser elsewhere must not use it for a change.
    foreign = {**cookies, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    refused = await deck.send("POST", "/api/projects", {"name": "x"}, token=None, headers=foreign)
    assert refused.status_code == 403
    deck.client.cookies.clear()
    assert (await deck.send("POST", "/api/auth/sign-out", {}, token=bare)).status_code == 200
    await deck.refused(401, "product_auth_missing", "projects.count", token=bare)


async def test_a_wrong_password_tells_nothing_about_the_name(fresh):
    deck = await signed_in(fresh)
    said = []
    for email in (EMAIL, "nobody@example.com"):
        answer = await deck.send(
            "POST", "/api/auth/sign-in/email", {"email": email, "password": "wrong-wrong-wrong"}, token=None
        )
        assert answer.status_code == 401
        said.append(answer.json()["message"])
    assert said[0] == said[1]


async def test_the_caller_and_its_organizations_are_shown(deck):
    found = await deck.do("organizations.current-context")
    assert found["user"]["email"] == EMAIL
    assert found["currentOrganization"]["role"] == "owner"
    assert found["permissions"]["canTransferOwnership"] is True
    viewer = await deck.do("organizations.current-context", token=await deck.member("viewer"))
    assert viewer["currentOrganization"]["role"] == "viewer"
    assert viewer["permissions"]["canInviteMembers"] is False


async def test_the_installation_says_what_it_is_and_how_it_feels(deck):
    providers = await deck.do("system.providers.list")
    assert "local-shell" in {one["key"] for one in providers["items"]}
    doctor = await deck.do("system.doctor")
    assert doctor["readiness"]["checks"] == {"database": True, "migrations": True}
    version = (await deck.send("GET", "/api/version", token=None)).json()
    assert (version["apiVersion"], version["mode"]) == ("v1", "self-hosted")
    assert (await deck.send("GET", "/api/health", token=None)).json()["status"] == "ok"
    assert (await deck.send("GET", "/api/readiness", token=None)).status_code == 200
    document = (await deck.send("GET", "/api/openapi.json", token=None)).json()
    assert "/api/resources/{resourceId}/health" in document["paths"]


async def test_a_page_that_has_its_name_lead_here_cannot_create_the_first_administrator(fresh):
    for path, body in (
        ("/api/bootstrap/auth/first-admin", ADA),
        ("/api/auth/setup", {"username": "ada", "password": PASSWORD}),
    ):
        answer = await fresh.send("POST", path, body, token=None, headers={"host": "evil.example:8700"})
        assert answer.status_code == 403, answer.text
        assert "setup_host_refused" in answer.text or "own name" in answer.text
    assert (await fresh.do("auth.bootstrap-status", token=None))["bootstrapRequired"] is True


async def test_a_signature_of_any_characters_is_refused(fresh):
    deck = await signed_in(fresh)
    headers = {"authorization": f"Bearer {deck.token}.caf\u00e9".encode()}
    assert (await deck.send("GET", "/api/projects", token=None, headers=headers)).status_code == 401


async def test_the_first_organization_may_be_called_otherwise(fresh):
    key = "auth.bootstrap-first-admin"
    for wrong in ({"organizationSlug": "A b"}, {"organizationSlug": "x" * 81}, {"organizationName": " "},
                  {"organizationName": "x" * 121}):  # fmt: skip
        await fresh.refused(400, "validation_error", key, {**ADA, **wrong}, token=None)
    assert (await fresh.do("auth.bootstrap-status", token=None))["bootstrapRequired"] is True
    body = {**ADA, "organizationName": " Saltmarsh ", "organizationSlug": "saltmarsh"}
    answer, events = await noted(fresh, key, body, token=None)
    made = answer.json()
    assert (made["organizationId"], made["organizationSlug"]) == ("org_self_hosted", "saltmarsh")
    assert [(one["action"], one["resource_id"].replace("-", "")) for one in events] == [
        ("user.first-administrator-created", made["userId"])
    ]
    name = await fresh.instance.db.read(lambda tx: tx.execute("SELECT name FROM identity_organizations").scalar())
    assert name == "Saltmarsh"
