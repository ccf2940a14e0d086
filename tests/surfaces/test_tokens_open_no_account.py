"""A token of a program makes nobody's account and no way into one, on whichever surface it knocks."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from quarterdeck.identity.model import Invitation, User
from quarterdeck.identity.oidc.model import OidcProvider

TOKENS = "/api/web/profile/tokens"
PASSWORD = "a password of theirs"


async def token(deck, *scopes: str) -> str:
    answer = await deck.send("POST", TOKENS, {"label": "program", "scopes": list(scopes)})
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


async def count(deck) -> tuple[int, ...]:
    def verb(tx):
        return tuple(
            tx.execute(select(func.count()).select_from(one)).scalar() for one in (User, Invitation, OidcProvider)
        )

    return await deck.instance.db.read(verb)


async def bob(deck) -> int:
    made = await deck.send("POST", "/api/admin/developers", {"name": "bob", "password": PASSWORD, "role": "developer"})
    assert made.status_code == 201, made.text
    return made.json()["id"]


@pytest.mark.parametrize("scopes", [(), ("deploy:write",)])
async def test_a_token_makes_no_account_and_no_way_into_one(deck, scopes):
    who = await bob(deck)
    program = await token(deck, *scopes)
    before = await count(deck)
    provider = {"slug": "team", "issuer": "https://login.example.com", "clientId": "deck"}
    organization = (await deck.do("organizations.current-context"))["currentOrganization"]["organizationId"]
    for method, path, body in (
        ("POST", "/api/admin/developers", {"name": "eve", "password": PASSWORD, "role": "admin"}),
        ("PUT", f"/api/admin/developers/{who}", {"password": "another password"}),
        ("PUT", f"/api/admin/developers/{who}/reset-totp", {}),
        ("POST", "/api/identity-providers", {**provider, "defaultRoles": ["organization:owner"]}),
        ("POST", f"/api/users/{who}/reset-password", {"new_password": "another password"}),
        ("POST", f"/api/organizations/{organization}/invitations", {"email": "eve@example.com", "role": "owner"}),
        ("POST", "/api/access/grants", {"user": "bob", "role": "organization:owner"}),
    ):
        if path.endswith("grants") and not scopes:
            continue  # one that is not narrowed gives what its owner may give; it opens no account
        answer = await deck.send(method, path, body, token=program)
        assert answer.status_code == 403, (path, answer.status_code, answer.text)
    assert await count(deck) == before
    signed_in = await deck.send("POST", "/api/auth/login", {"username": "bob", "password": PASSWORD}, token=None)
    assert signed_in.status_code == 200


async def test_a_program_is_not_told_a_secret_that_a_person_was_told(deck):
    organization = (await deck.do("organizations.current-context"))["currentOrganization"]["organizationId"]
    body = {
        "organizationId": organization, "displayName": "ci", "scope": {"workflowCommands": ["preview-cleanup"]},
        "idempotencyKey": "once",
    }  # fmt: skip
    made = await deck.send("POST", "/api/deploy-tokens", body)
    assert made.status_code == 201, made.text
    assert (await deck.send("POST", "/api/deploy-tokens", body)).json() == made.json()
    told = await deck.send("POST", "/api/deploy-tokens", body, token=await token(deck))
    assert told.status_code == 403
