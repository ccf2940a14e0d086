"""Organizations: context, switching, profile, further ones, deletion, and that each stays for itself."""

from __future__ import annotations

import json
from pathlib import Path

from quarterdeck.app import handlers
from quarterdeck.kernel.db import Tx
from support.deck import HOME, operations
from support.people import audited, joins, noted, person, personal_token, trail

OTHER = "org_elsewhere"


async def another(deck, name="Acme", **body):
    answer = await deck.send("POST", "/api/organizations", {"name": name, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_the_context_says_who_where_and_what(deck):
    found = await deck.do("organizations.current-context")
    assert found["currentOrganization"] == {
        "organizationId": HOME, "name": "Self-hosted", "slug": "self-hosted-appaloft", "role": "owner",
    }  # fmt: skip
    assert all(found["permissions"].values())
    bob = await person(deck, "developer")
    theirs = await deck.do("organizations.current-context", token=bob.token)
    assert [name for name, yes in theirs["permissions"].items() if yes] == ["canListMembers"]


async def test_a_further_organization_is_made_entered_and_left(deck):
    answer = await deck.send("POST", "/api/organizations", {"name": "Acme Ltd"})
    made = answer.json()
    assert (answer.status_code, made["slug"], made["role"]) == (201, "acme-ltd", "owner")
    (event,) = await trail(deck, answer.headers["x-request-id"])
    assert (event["action"], event["resource_id"]) == ("organization.created", made["organizationId"])
    taken = await deck.send("POST", "/api/organizations", {"name": "Acme ltd"})
    assert (taken.status_code, taken.json()["data"]["domainCode"]) == (409, "organization_slug_conflict")
    for body in ({}, {"name": ""}, {"name": "x" * 121}, {"name": "x", "slug": "A B"}):
        assert (await deck.send("POST", "/api/organizations", body)).json()["code"] == "BAD_REQUEST"
    blank = await deck.send("POST", "/api/organizations", {"name": "   "})
    assert blank.json()["data"]["domainCode"] == "validation_error"
    await deck.project("At home")
    key, body = "organizations.switch-current", {"organizationId": made["organizationId"]}
    answer, events = await noted(deck, key, body)
    assert answer.json()["currentOrganization"]["name"] == "Acme Ltd"
    assert len(answer.json()["organizations"]) == 2
    assert [one["action"] for one in events] == ["session.organization-switched"]
    assert (await deck.do("projects.list"))["items"] == []
    answer, events = await noted(deck, key, body)
    assert (answer.status_code, events) == (200, [])
    await deck.do(key, {"organizationId": HOME})
    assert await deck.do("projects.count") == {"count": 1}


async def test_a_token_stays_where_it_is_and_gives_nothing_away(deck):
    made = await another(deck)
    ada = await person(deck, "owner")
    await joins(deck, ada, "owner", made["organizationId"])
    laptop = await personal_token(deck, ada)
    await deck.do("organizations.profile.show", organizationId=HOME, token=laptop)
    elsewhere = {"organizationId": made["organizationId"]}
    await deck.refused(404, "not_found", "organizations.profile.show", token=laptop, **elsewhere)
    for named in (elsewhere, {"organizationId": HOME}):
        await deck.refused(403, "product_auth_forbidden", "organizations.switch-current", named, token=laptop)
    answer = await deck.send("POST", "/api/organizations", {"name": "Third"}, token=laptop)
    assert answer.status_code == 403
    body = {"organizationId": HOME, "displayName": "ci", "scope": {"workflowCommands": ["preview-cleanup"]}}
    await deck.refused(403, "session_required", "deploy-tokens.create", body, token=laptop)


async def test_a_session_that_a_provider_vouched_for_stays_in_its_organization(deck):
    made = (await another(deck))["organizationId"]
    ada = await person(deck, "owner")
    await joins(deck, ada, "owner", made)

    def vouch(tx: Tx) -> None:
        user = "SELECT id FROM identity_users WHERE uid = :uid"
        tx.execute(
            f"UPDATE identity_sessions SET external_account_id = 1 WHERE user_id = ({user})",
            {"uid": ada.uid},
        )

    await deck.instance.db.write(vouch)
    await deck.do("organizations.profile.change", {"name": "Home"}, organizationId=HOME, token=ada.token)
    wrong = []
    for key, body, path, query in acts(made, "dpt_x", ada.id):
        answer = await deck.request(key, body, token=ada.token, query=query, **path)
        code = answer.json().get("data", {}).get("domainCode")
        wanted = (403, "session_bound") if key == "organizations.switch-current" else (404, "not_found")
        if (answer.status_code, code) != wanted:
            wrong.append((key, answer.status_code, answer.text[:200]))
    assert wrong == []
    answer = await deck.send("POST", "/api/organizations", {"name": "Third"}, token=ada.token)
    assert (answer.status_code, answer.json()["data"]["domainCode"]) == (403, "session_bound")
    body = {"confirmation": {"userId": ada.id}}
    await deck.refused(403, "session_bound", "account.delete", body, token=ada.token)
    (one,) = (
        await deck.do(
            "capabilities.query",
            {"queries": [{"operationKey": "projects.list", "organizationId": made}]},
            token=ada.token,
        )
    )["capabilities"]
    assert one["reason"] == "organization-not-visible"


async def test_a_profile_is_changed_by_who_manages_it(deck):
    bob = await person(deck, "admin")
    logo = "https://example.com/logo.svg"
    body = {"name": " Saltmarsh ", "slug": "saltmarsh", "logoUrl": logo}
    key = "organizations.profile.change"
    changed = await audited(
        deck, bob, "organization.changed", "{organizationId}", key, body, organizationId=HOME, token=bob.token
    )
    assert (changed["name"], changed["slug"], changed["logoUrl"]) == ("Saltmarsh", "saltmarsh", logo)
    assert await deck.do("organizations.profile.show", organizationId=HOME, token=bob.token) == changed
    answer, events = await noted(deck, key, {"name": "Saltmarsh"}, organizationId=HOME)
    assert (answer.status_code, events) == (200, [])
    assert "logoUrl" not in await deck.do(key, {"logoUrl": None}, organizationId=HOME)
    await another(deck, "Acme")
    await deck.refused(409, "organization_slug_conflict", key, {"slug": "acme"}, organizationId=HOME)
    for wrong in ({}, {"name": "  "}, {"logoUrl": "javascript:x"}):
        await deck.refused(400, "validation_error", key, wrong, organizationId=HOME)
    for wrong in ({"slug": "A"}, {"name": "x" * 121}, {"slug": "x" * 81}):
        await deck.malformed(key, wrong, organizationId=HOME)


async def test_the_role_in_the_named_organization_decides(deck):
    """Not the one in the organization that the session acts in."""
    made = (await another(deck))["organizationId"]
    bob = await person(deck, "viewer")
    await joins(deck, bob, "admin", made)
    invited = {"email": "x@example.com", "role": "viewer"}
    key = "organizations.invite-member"
    await deck.refused(403, "product_auth_forbidden", key, invited, organizationId=HOME, token=bob.token)
    answer, events = await noted(deck, key, invited, organizationId=made, token=bob.token)
    assert answer.status_code == 201
    assert len(events) == 1

    def home(tx: Tx) -> int | None:
        return tx.execute("SELECT id FROM identity_organizations WHERE ref = 'org_self_hosted'").scalar()

    assert events[0]["organization_id"] != await deck.instance.db.read(home)
    body = {"organizationId": made, "displayName": "ci", "scope": {"workflowCommands": ["preview-cleanup"]}}
    await deck.do("deploy-tokens.create", body, token=bob.token)
    home_body = {**body, "organizationId": HOME}
    await deck.refused(403, "product_auth_forbidden", "deploy-tokens.create", home_body, token=bob.token)


INVITATION = "/api/organizations/{organizationId:str}/invitations/{invitationId:str}"
OURS = {f"{INVITATION}/resend", f"{INVITATION}/revoke"}
"""Routes of ours beside the contract."""


async def test_invitations_of_another_organization_are_nobodys(deck):
    owner = await deck.member("owner", OTHER)
    made = await deck.do(
        "organizations.invite-member", {"email": "x@example.com", "role": "viewer"}, organizationId=HOME
    )
    for verb in ("resend", "revoke"):
        path = f"/api/organizations/{HOME}/invitations/{made['invitationId']}/{verb}"
        for where in (path, path.replace(HOME, OTHER)):
            answer = await deck.send("POST", where, token=owner)
            assert answer.status_code == 404, where
    assert (await deck.send("POST", path)).json()["email"] == "x@example.com"


def acts(organization, token, member):
    """Every route whose request names an organization: key, body, path and query of a request that is right."""
    named = {"organizationId": organization}
    confirmed = {**named, "confirmation": {"tokenId": token}}
    made = {**named, "displayName": "x", "scope": {"workflowCommands": ["preview-cleanup"]}}
    source = {**named, "source": "billing"}
    decided = {**source, "operationKey": "deployments.create"}
    whose, what = {**named, "memberId": member}, {"tokenId": token}
    return [
        ("organizations.switch-current", named, {}, None),
        ("organizations.profile.show", None, named, None),
        ("organizations.profile.change", {"name": "Mine"}, named, None),
        ("organizations.list-members", None, named, None),
        ("organizations.list-invitations", None, named, None),
        ("organizations.invite-member", {"email": "x@example.com", "role": "viewer"}, named, None),
        ("organizations.change-member-role", {"role": "viewer"}, whose, None),
        ("organizations.remove-member", {}, whose, None),
        ("organizations.transfer-owner", {"fromMemberId": member, "toMemberId": member}, named, None),
        ("organizations.delete", {"confirmation": named}, named, None),
        ("deploy-tokens.list", None, {}, named),
        ("deploy-tokens.show", None, what, named),
        ("deploy-tokens.create", made, {}, None),
        ("deploy-tokens.rotate", confirmed, what, None),
        ("deploy-tokens.revoke", confirmed, what, None),
        ("usage-intents.list", None, {}, named),
        ("usage-intents.record", {**source, "idempotencyKey": "k", "capabilityKey": "c"}, {}, None),
        ("deployment-overlays.list", None, {}, named),
        ("deployment-overlays.record", decided, {}, None),
        ("route-surfaces.list", None, {}, named),
        ("route-surfaces.record", {**decided, "surfaceKind": "x"}, {}, None),
    ]


def test_every_route_that_takes_an_organization_is_asked():
    asked = [one for one in handlers() if getattr(one, "opt", {}).get("elsewhere")]
    assert {path for one in asked if not one.opt["endpoint"].key for path in one.paths} == OURS
    taking = {one.opt["endpoint"].key for one in asked} - {""}
    assert taking == {key for key, *_ in acts("", "", "")}
    assert {key for key, one in operations().items() if "{organizationId}" in one["path"]} <= taking


async def token_of(deck):
    body = {"organizationId": HOME, "displayName": "ci", "scope": {"workflowCommands": ["preview-cleanup"]}}
    return (await deck.do("deploy-tokens.create", body))["tokenId"]


async def test_another_organization_is_not_found_by_anybody_of_none(deck):
    owner, bob = await deck.member("owner", OTHER), await person(deck, "viewer")
    token = await token_of(deck)
    elsewhere = {"organizationId": OTHER}
    swapped = [
        ("deploy-tokens.show", None, {"tokenId": token}, elsewhere),
        ("deploy-tokens.rotate", {**elsewhere, "confirmation": {"tokenId": token}}, {"tokenId": token}, None),
        ("deploy-tokens.revoke", {**elsewhere, "confirmation": {"tokenId": token}}, {"tokenId": token}, None),
        ("organizations.change-member-role", {"role": "viewer"}, {**elsewhere, "memberId": bob.id}, None),
        ("organizations.remove-member", {}, {**elsewhere, "memberId": bob.id}, None),
        ("entitlements.query", {"queries": [{"organizationId": HOME, "capabilityKey": "c"}]}, {}, None),
    ]
    wrong = []
    for key, body, path, query in [*acts(HOME, token, bob.id), *swapped]:
        answer, events = await noted(deck, key, body, token=owner, query=query, **path)
        code = answer.json().get("data", {}).get("domainCode")
        if (answer.status_code, code, events) != (404, "not_found", []):
            wrong.append((key, answer.status_code, answer.text[:200]))
    assert wrong == []
    named = {"organizationId": HOME}
    assert (await deck.do("deploy-tokens.show", tokenId=token, query=named))["status"] == "active"
    assert len((await deck.do("organizations.list-members", **named))["items"]) == 2


async def test_a_role_elsewhere_opens_nothing_here(deck):
    """Who owns another organization is let in by the guard, and decided about where the request means it."""
    made = (await another(deck))["organizationId"]
    bob = await person(deck, "viewer")
    await joins(deck, bob, "owner", made)
    token = await token_of(deck)
    matrix = json.loads((Path(__file__).parent / "matrix.json").read_text())["operations"]
    wrong = []
    for key, body, path, query in acts(HOME, token, bob.id):
        meant = [(body, path, query)]
        if key.split(".")[0] in {"usage-intents", "deployment-overlays", "route-surfaces"}:  # the current one, unsaid
            unsaid = {name: value for name, value in (body or {}).items() if name != "organizationId"}
            meant.append((unsaid if body else None, path, None))
        for one in meant:
            answer = await deck.request(key, one[0], token=bob.token, query=one[2], **one[1])
            if (answer.status_code == 403) != (matrix[key]["viewer"] == "deny"):
                wrong.append((key, answer.status_code, answer.text[:200]))
    assert wrong == []


async def test_an_organization_goes_with_its_members_and_keeps_its_things(deck):
    made = (await another(deck))["organizationId"]
    bob = await person(deck, "developer", made)
    body = {"confirmation": {"organizationId": made}}
    key = "organizations.delete"
    await deck.do("organizations.switch-current", {"organizationId": made})
    project = await deck.project("Stays")
    await deck.do("organizations.switch-current", {"organizationId": HOME})
    await deck.refused(403, "product_auth_forbidden", key, body, organizationId=made, token=bob.token)
    wrong = {"confirmation": {"organizationId": HOME}}
    await deck.refused(400, "validation_error", key, wrong, organizationId=made)
    await deck.malformed(key, {}, organizationId=made)
    gone = await audited(deck, None, "organization.deleted", "{organizationId}", key, body, organizationId=made)
    assert gone["organizationId"] == made
    assert (await deck.request("account.profile.show", token=bob.token)).status_code == 401
    await deck.refused(404, "not_found", "organizations.profile.show", organizationId=made)
    assert len((await deck.do("organizations.current-context"))["organizations"]) == 1
    kept = f"SELECT count(*) FROM workspace_projects WHERE ref = '{project}'"
    assert await deck.instance.db.read(lambda tx: tx.execute(kept).scalar()) == 1
    # Its short name is free again.
    assert (await another(deck, "Acme"))["slug"] == "acme"


async def test_the_organization_of_the_installation_stays(deck):
    body = {"confirmation": {"organizationId": HOME}}
    await deck.refused(409, "organization_delete_blocked", "organizations.delete", body, organizationId=HOME)
    assert (await deck.do("auth.bootstrap-status", token=None))["bootstrapRequired"] is False
