"""Free names of people, roles, tokens and organizations are refused on every surface where they would mislead."""

from __future__ import annotations

import pytest

from support.deck import PASSWORD

HOSTILE = ["Ada\x00", "Ada\x1b[2J", "Ada\u202egpj.exe", "A\u200bda", "Ada\nowner", "x" * 5000]
GIVEN = [
    ("POST", "/api/account/profile", "displayName", {}),
    ("POST", "/api/organizations", "name", {}),
    ("PUT", "/api/users/profile", "display_name", {}),
    ("POST", "/api/users", "display_name", {"username": "bob", "email": "bob@example.com"}),
    ("POST", "/api/users", "email", {"username": "bob"}),
    ("POST", "/api/roles", "name", {"permission_ids": []}),
    ("POST", "/api/v1/roles", "name", {"permissions": []}),
    ("POST", "/api/v1/roles", "description", {"name": "Readers", "permissions": []}),
    ("POST", "/api/access/roles", "name", {"permissions": []}),
    ("POST", "/api/web/profile/tokens", "label", {}),
    ("PUT", "/api/web/profile", "gitName", {}),
    ("POST", "/api/admin/developers", "name", {"password": PASSWORD, "role": "developer"}),
    ("POST", "/api/cli/zones", "name", {}),
    ("POST", "/api/cli/zones", "description", {"name": "payments"}),
    ("POST", "/api/cli/configurations", "project_name", {"region": "eu-west-1"}),
    ("POST", "/api/cli/configurations", "comment", {"project_name": "ledger", "region": "eu-west-1"}),
    (
        "POST", "/api/identity-providers", "name",
        {"slug": "team", "issuer": "https://login.example.com", "clientId": "deck"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "field", "body"), GIVEN, ids=[f"{one[1]} {one[2]}" for one in GIVEN])
async def test_a_name_that_misleads_is_refused_and_kept_nowhere(deck, method, path, field, body):
    for text in HOSTILE:
        if field == "description" and "\n" in text:
            continue
        value = text if field != "email" else f"{text}@example.com"
        answer = await deck.send(method, path, {**body, field: value})
        assert answer.status_code in {400, 422}, (text, answer.status_code, answer.text[:300])
        assert "\x1b" not in answer.text
        assert "\u202e" not in answer.text
    assert "gpj.exe" not in (await deck.send("GET", "/api/users")).text


async def test_a_deploy_token_is_called_by_what_shows(deck):
    here = (await deck.do("organizations.current-context"))["currentOrganization"]["organizationId"]
    body = {"organizationId": here, "scope": {"workflowCommands": ["preview-cleanup"]}}
    for text in HOSTILE[1:]:  # NUL is refused by the frame, in a shape of its own
        await deck.refused(400, "validation_error", "deploy-tokens.create", {**body, "displayName": text})
