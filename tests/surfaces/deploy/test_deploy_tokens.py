"""Credentials of pipelines: shown once, good for the routes that the contract names and for no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from quarterdeck.app import handlers
from quarterdeck.kernel.clock import wire_time
from support.deck import HOME, operations
from support.people import audited, noted, person

AT = {"organizationId": HOME}
CLEANUP = "deployments.cleanup-preview"
SCOPE = {"workflowCommands": ["preview-cleanup"]}


async def create(deck, **given):
    body = {**AT, "displayName": "ci", "scope": SCOPE, **given}
    return await audited(deck, None, "deploy-token.created", "{tokenId}", "deploy-tokens.create", body)


async def show(deck, token_id):
    return await deck.do("deploy-tokens.show", tokenId=token_id, query=AT)


def named(token_id, **more):
    return {**AT, "confirmation": {"tokenId": token_id}, **more}


async def test_a_token_is_shown_once_and_kept_as_its_hash(deck):
    made = await create(deck)
    token = made["token"]
    assert token.startswith("aplt_dt_")
    assert (len(token), made["secretSuffix"]) == (8 + 64, token[-8:])
    shown = await show(deck, made["tokenId"])
    assert shown["scope"] == made["scopes"]
    assert shown["scope"] == {
        "deploymentTargetIds": [], "environmentIds": [], "projectIds": [], "repositoryFullNames": [],
        "resourceIds": [], "workflowCommands": ["preview-cleanup"],
    }  # fmt: skip
    await deck.do("deploy-tokens.list", query=AT)
    assert sum(token in said for said in deck.heard) == 1


async def test_no_secret_lies_open_also_where_an_answer_is_remembered(deck):
    made = await create(deck, idempotencyKey="key")
    again, events = await noted(
        deck, "deploy-tokens.create", {**AT, "displayName": "ci", "scope": SCOPE, "idempotencyKey": "key"}
    )
    assert (again.json(), events) == (made, [])
    turned = await deck.do("deploy-tokens.rotate", named(made["tokenId"], idempotencyKey="r"), tokenId=made["tokenId"])
    names = ("identity_deploy_tokens", "kernel_idempotency", "audit_events", "domain_events")
    rows = await deck.instance.db.read(
        lambda tx: [str(row) for name in names for row in tx.execute(text(f"SELECT * FROM {name}"))]
    )
    assert len(rows) > 4
    for secret in (made["token"], turned["token"]):
        assert not [row for row in rows if secret in row or secret[8:40] in row]
    # Who lost the role since gets no remembered secret.
    bob = await person(deck, "admin")
    body = {**AT, "displayName": "theirs", "scope": SCOPE, "idempotencyKey": "key"}
    await deck.do("deploy-tokens.create", body, token=bob.token)
    await deck.do("organizations.change-member-role", {"role": "viewer"}, memberId=bob.id, **AT)
    await deck.refused(403, "product_auth_forbidden", "deploy-tokens.create", body, token=bob.token)


async def test_a_scope_names_only_what_is_there(deck):
    server, (project, environment) = await deck.server(), await deck.place()
    resource = await deck.resource((project, environment))
    scope = {
        **SCOPE, "projectIds": [project, project], "environmentIds": [environment], "resourceIds": [resource],
        "deploymentTargetIds": [server], "repositoryFullNames": ["acme/web"],
    }  # fmt: skip
    made = await create(deck, scope=scope)
    assert made["scopes"]["projectIds"] == [project]
    other = await create(deck, scope={**SCOPE, "repositoryFullNames": ["acme/docs"]})

    async def listed(**query):
        return [one["tokenId"] for one in (await deck.do("deploy-tokens.list", query={**AT, **query}))["items"]]

    assert await listed() == [other["tokenId"], made["tokenId"]]
    assert await listed(limit=1) == [other["tokenId"]]
    assert await listed(resourceId=resource) == [made["tokenId"]]
    assert await listed(repositoryFullName="acme/docs") == [other["tokenId"]]
    assert await listed(status="revoked") == []
    stranger = await deck.member("owner", "org_elsewhere")
    theirs = await deck.place("Theirs", token=stranger)
    for key, ref in (("projectIds", theirs[0]), ("environmentIds", theirs[1]), ("resourceIds", "res_x"),
                     ("deploymentTargetIds", "srv_x")):  # fmt: skip
        body = {**AT, "displayName": "ci", "scope": {**SCOPE, key: [ref]}}
        await deck.refused(404, "not_found", "deploy-tokens.create", body)
    assert len(await listed()) == 2


@pytest.mark.parametrize(
    "given",
    [
        {"displayName": "  "},
        {"displayName": "x" * 201},
        {"expiresAt": "2001-01-01T00:00:00.000Z"},
        {"scope": {**SCOPE, "repositoryFullNames": [f"a/{number}" for number in range(201)]}},
    ],
)
async def test_a_token_that_cannot_be_is_refused(deck, given):
    body = {**AT, "displayName": "ci", "scope": SCOPE, **given}
    await deck.refused(400, "validation_error", "deploy-tokens.create", body)
    assert (await deck.do("deploy-tokens.list", query=AT))["items"] == []


async def test_malformed_tokens_are_refused(deck):
    body = {**AT, "displayName": "ci", "scope": SCOPE}
    for wrong in ({"scope": {"workflowCommands": []}}, {"scope": {"workflowCommands": ["all"]}}, {"scope": {}},
                  {"expiresAt": "tomorrow"}, {"displayName": ""}):  # fmt: skip
        await deck.malformed("deploy-tokens.create", {**body, **wrong})
    await deck.malformed("deploy-tokens.list", query={})
    await deck.malformed("deploy-tokens.list", query={**AT, "limit": 101})


async def test_rotating_and_revoking_end_a_secret_at_once(deck):
    made = await create(deck)
    ref = made["tokenId"]
    body = {"sourceFingerprint": "nothing"}
    await deck.do(CLEANUP, body, token=made["token"])
    assert (await show(deck, ref))["lastUsedAt"]
    wrong = named("dpt_000000000000")
    for key in ("deploy-tokens.rotate", "deploy-tokens.revoke"):
        await deck.refused(400, "validation_error", key, wrong, tokenId=ref)
        await deck.refused(404, "not_found", key, named("dpt_000000000000"), tokenId="dpt_000000000000")
    turned = await audited(deck, None, "deploy-token.rotated", ref, "deploy-tokens.rotate", named(ref), tokenId=ref)
    await deck.refused(401, "action_auth_invalid", CLEANUP, body, token=made["token"])
    await deck.do(CLEANUP, body, token=turned["token"])
    gone = await audited(
        deck, None, "deploy-token.revoked", ref, "deploy-tokens.revoke", named(ref, reason="left"), tokenId=ref
    )
    await deck.refused(401, "action_auth_invalid", CLEANUP, body, token=turned["token"])
    answer, events = await noted(deck, "deploy-tokens.revoke", named(ref), tokenId=ref)
    assert (answer.json(), events) == (gone, [])
    await deck.refused(409, "deploy_token_rotation_blocked", "deploy-tokens.rotate", named(ref), tokenId=ref)
    assert (await show(deck, ref))["status"] == "revoked"


async def test_a_token_ends_when_it_expires_or_its_organization_goes(deck):
    soon = deck.instance.db.clock.now() + timedelta(hours=1)
    made = await create(deck, expiresAt=wire_time(soon))
    body = {"sourceFingerprint": "nothing"}
    await deck.do(CLEANUP, body, token=made["token"])
    await deck.instance.db.write(lambda tx: tx.execute("UPDATE identity_deploy_tokens SET expires_at = created_at"))
    await deck.refused(401, "action_auth_invalid", CLEANUP, body, token=made["token"])
    acme = (await deck.send("POST", "/api/organizations", {"name": "Acme"})).json()["organizationId"]
    theirs = await deck.do("deploy-tokens.create", {"organizationId": acme, "displayName": "ci", "scope": SCOPE})
    await deck.do(CLEANUP, body, token=theirs["token"])
    gone = {"confirmation": {"organizationId": acme}}
    await deck.do("organizations.delete", gone, organizationId=acme)
    await deck.refused(401, "action_auth_invalid", CLEANUP, body, token=theirs["token"])


async def test_a_token_opens_exactly_the_routes_of_its_contract(deck):
    made = await create(deck)
    taking = {one.opt["endpoint"].key for one in handlers() if getattr(one, "opt", {}).get("deploy_tokens")}
    assert taking == {CLEANUP}
    wrong = []
    for one in handlers():
        endpoint = getattr(one, "opt", {}).get("endpoint")
        if endpoint is None or endpoint.permission == "public" or endpoint.key in taking:
            continue
        path = endpoint.path.replace("{", "").replace("}", "")
        answer = await deck.send(endpoint.method, path, token=made["token"])
        if answer.status_code != 401:
            wrong.append((endpoint.method, path, answer.status_code))
    assert wrong == []
    without = await create(deck, scope={"workflowCommands": ["source-link-deploy"]})
    await deck.refused(403, "action_auth_forbidden", CLEANUP, {"sourceFingerprint": "x"}, token=without["token"])
    assert operations()[CLEANUP]["auth"] == "session:admin"


async def test_a_narrowed_token_has_to_name_what_it_means(deck):
    project, _ = await deck.place("Shop")
    other, _ = await deck.place("Other")
    scope = {**SCOPE, "projectIds": [project], "repositoryFullNames": ["acme/web"]}
    token = (await create(deck, scope=scope))["token"]
    right = {"projectId": project, "repositoryFullName": "acme/web"}
    for context in (None, {"projectId": project}, {**right, "projectId": other}, {**right, "repositoryFullName": "x"}):
        body = {"sourceFingerprint": "x"} | ({"trustedContext": context} if context else {})
        await deck.refused(403, "action_auth_forbidden", CLEANUP, body, token=token)
    done = await deck.do(CLEANUP, {"sourceFingerprint": "x", "trustedContext": right}, token=token)
    assert done["status"] == "already-clean"


async def test_what_a_token_names_has_to_be_so(deck):
    """A preview of another project is not reached by naming one's own."""
    source = {"kind": "git-public", "locator": "https://example.com/acme/web.git", "repositoryFullName": "acme/web"}
    made = await deck.project("Shop")
    body = {"projectId": made, "name": "pr-1", "kind": "preview"}
    environment = (await deck.do("environments.create", body))["id"]
    resource = await deck.resource((made, environment), source=source)
    fingerprint = await deck.instance.db.read(
        lambda tx: tx.execute(f"SELECT source_fingerprint FROM deploy_resources WHERE ref = '{resource}'").scalar()
    )
    assert fingerprint
    own, _ = await deck.place("Own")
    own_token = (await create(deck, scope={**SCOPE, "projectIds": [own]}))["token"]
    body = {"sourceFingerprint": fingerprint, "trustedContext": {"projectId": own}}
    await deck.refused(400, "validation_error", CLEANUP, body, token=own_token)
    foreign = (await create(deck, scope={**SCOPE, "repositoryFullNames": ["acme/other"]}))["token"]
    body = {"sourceFingerprint": fingerprint, "trustedContext": {"repositoryFullName": "acme/other"}}
    answer = await deck.request(CLEANUP, body, token=foreign)
    assert answer.status_code in {400, 403}, answer.text
    right = (await create(deck, scope={**SCOPE, "projectIds": [made]}))["token"]
    body = {"sourceFingerprint": fingerprint, "trustedContext": {"projectId": made}}
    await deck.do(CLEANUP, body, token=right)
