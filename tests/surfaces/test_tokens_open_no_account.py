"""A token of a program makes nobody's account and no way into one, on whichever surface it knocks."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from quarterdeck.app import handlers
from quarterdeck.identity.model import Invitation, User
from quarterdeck.identity.oidc.model import OidcProvider
from quarterdeck.kernel.http.guard import PEOPLE

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


OWN = {
    "GET /api/auth/me": "*",
    "GET /api/auth/mfa/status": "runbooks",
    "GET /api/auth/me/ssh-key": "runbooks",
    "GET /api/jobs": "runbooks",
    "GET /api/auth/ssh-keys": "runbooks",
    "GET /api/users/me/preferences": "runbooks",
    "GET /api/v1/permissions": "broker",
    "GET /api/v1/roles": "broker",
    "GET /api/v1/roles/{role_id}": "broker",
    "GET /api/v1/user-roles": "broker",
    "GET /api/v1/users/{user_id}/roles": "broker",
}
"""Routes that ask for a credential alone and take a narrowed one: reviewed by hand. They read, and say no secret."""


async def test_a_narrowed_token_reaches_nothing_that_asks_for_a_credential_alone(deck):
    """Every such route there is, so that a new one is closed until somebody says otherwise."""
    programs = {scope: await token(deck, scope) for scope in ("deploy:read", "runbooks", "broker")}
    asked = {}
    for handler in handlers():
        endpoint = getattr(handler, "opt", {}).get("endpoint")
        if endpoint is not None and endpoint.permission == "authenticated":
            asked[f"{endpoint.method} {endpoint.path}"] = endpoint
    assert OWN.keys() <= asked.keys()
    assert len(asked) > len(OWN)
    for name, endpoint in asked.items():
        for scope, program in programs.items():
            path = re.sub(r"{\w+}", "01890000-0000-7000-8000-000000000000", endpoint.path)
            answer = await deck.send(endpoint.method, path, None if endpoint.method == "GET" else {}, token=program)
            if OWN.get(name) in {"*", scope.split(":")[0]}:
                assert answer.status_code in {200, 404}, (name, scope, answer.text)
            elif endpoint.callers and PEOPLE not in endpoint.callers:  # no credential of a person comes in there
                assert answer.status_code == 401, (name, scope, answer.text)
            else:
                assert answer.status_code == 403, (name, scope, answer.text)
                assert "narrowed" in answer.text


async def test_a_token_that_reaches_infrastructure_asks_for_its_jobs(deck):
    program = await token(deck, "admin")
    assert (await deck.send("GET", "/api/jobs?surface=infra", token=program)).status_code == 200
    spec = {"project_name": "ledger", "region": "here", "provider": "local"}
    made = await deck.send("POST", "/api/cli/configurations", spec, token=program)
    assert made.status_code == 201, made.text
    wish = {"job_type": "PLAN", "configuration_id": made.json()["configuration"]["id"]}
    asked = await deck.send("POST", "/api/jobs", wish, token=program)
    assert asked.status_code == 201, asked.text


async def test_a_narrowed_token_changes_nothing_of_its_owner(deck):
    session = (await deck.do("account.sessions.list"))["items"][0]["sessionId"]
    for scope in ("admin", "deploy:write"):
        program = await token(deck, scope)
        for method, path, body in (
            ("POST", "/api/account/profile", {"displayName": "Eve"}),
            ("POST", f"/api/account/sessions/{session}/revoke", {}),
            ("POST", "/api/web/profile/tokens/1/revoke", {}),
            ("PUT", "/api/web/profile", {"gitName": "Eve"}),
        ):
            answer = await deck.send(method, path, body, token=program)
            assert answer.status_code == 403, (scope, path, answer.text)
    assert (await deck.do("account.profile.show"))["displayName"] != "Eve"
