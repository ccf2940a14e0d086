"""Personal tokens, deploy tokens and links: shown once, kept as hashes, ended at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from quarterdeck.access import Place
from quarterdeck.identity import deploy_tokens, links, personal_tokens
from quarterdeck.identity.model import User
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound


def made(house, *scopes: str, **more):
    return house.write(lambda tx: personal_tokens.create(tx, tx.get(User, house.ada.id), "laptop", scopes, **more))


def bearer(house, token):
    return house.db.read_sync(personal_tokens.authenticate, token.reveal())


def test_a_personal_token_acts_as_its_owner_and_ends_with_its_revocation(house):
    row, token = made(house)
    assert token.reveal().startswith(f"ov_pat_{row.id}_")
    principal, is_news = bearer(house, token)
    assert (principal.id, principal.by_token, principal.scopes, is_news) == (house.ada.id, True, frozenset(), True)
    house.db.write_sync(personal_tokens.note_use, row.uid)
    assert bearer(house, token)[1] is False
    house.write(personal_tokens.revoke, house.ada.id, row.id)
    house.write(personal_tokens.revoke, house.ada.id, row.id)
    assert bearer(house, token) is None
    assert house.told("personal-token") == ["personal-token.created", "personal-token.revoked"]


def test_a_scope_leaves_what_it_names_and_no_more(house):
    _, token = made(house, "tasks:read")
    house.db.read_sync(house.access.load)
    principal, _ = bearer(house, token)
    assert house.access.decide(principal, "tasks:tasks.view").allowed
    for permission in ("tasks:tasks.create", "deploy:projects.list", "broker:role.edit"):
        refused = house.access.decide(principal, permission)
        assert (refused.allowed, "narrowed" in refused.reason) == (False, True)


def test_a_token_that_has_expired_and_one_of_an_inactive_owner_are_nobody(house):
    later = house.db.clock.now() + timedelta(seconds=0.2)
    _, token = made(house, expires_at=later)
    assert bearer(house, token)
    while house.db.clock.now() <= later:
        pass
    assert bearer(house, token) is None
    _, other = made(house)

    def leave(tx):
        tx.get(User, house.ada.id).active = False

    house.write(leave)
    assert bearer(house, other) is None


def test_what_a_token_cannot_be(house):
    with pytest.raises(Invalid):
        made(house, "everything")
    with pytest.raises(Invalid):
        made(house, expires_at=house.db.clock.now())
    bob = house.user("bob", "tasks:developer")
    row, _ = made(house)
    with pytest.raises(NotFound):
        house.write(personal_tokens.revoke, bob.id, row.id)


def test_a_deploy_token_works_within_its_scope_and_rotates_at_once(house):
    scope = {"projectIds": ["prj_1"], "workflowCommands": ["preview-cleanup"]}
    row, token = house.write(deploy_tokens.create, "ci", scope, None)
    assert token.reveal().startswith("aplt_dt_")
    assert len(token.reveal()) == len("aplt_dt_") + 64
    found = house.db.write_sync(deploy_tokens.authenticate, token.reveal())
    assert (found.kind, found.organization_id, found.by_token) == ("deploy-token", house.organization.id, True)
    cleaning = "deploy:deployments.cleanup-preview"
    house.db.read_sync(house.access.load)
    assert house.access.decide(found, cleaning).allowed
    assert not house.access.decide(found, cleaning, Place(house.organization.id + 1)).allowed
    assert not house.access.decide(found, "deploy:projects.list").allowed

    def reaches(**things):
        def verb(tx):
            tx.act_as(found)
            deploy_tokens.require_reach(tx, **things)

        house.db.read_sync(verb)

    reaches(projectIds="prj_1", environmentIds="env_1")
    for project in ("prj_2", None):
        with pytest.raises(Forbidden) as raised:
            reaches(projectIds=project)
        assert raised.value.code == "action_auth_forbidden"
    house.write(deploy_tokens.require_reach, projectIds=None)  # of a token alone
    _, newer = house.write(deploy_tokens.rotate, row.ref)
    assert house.db.write_sync(deploy_tokens.authenticate, token.reveal()) is None
    assert house.db.write_sync(deploy_tokens.authenticate, newer.reveal())
    house.write(deploy_tokens.revoke, row.ref)
    assert house.db.write_sync(deploy_tokens.authenticate, newer.reveal()) is None
    with pytest.raises(Conflict) as raised:
        house.write(deploy_tokens.rotate, row.ref)
    assert raised.value.code == "deploy_token_rotation_blocked"


def test_a_link_is_good_once_and_ends_with_a_newer_one(house):
    def issued(purpose):
        return house.write(lambda tx: links.issue(tx, purpose, tx.get(User, house.ada.id))).reveal()

    first, second, other = issued("reset"), issued("reset"), issued("invite")
    for purpose, token in (("reset", first), ("invite", second), ("reset", "nothing"), ("reset", "")):
        with pytest.raises(Invalid):
            house.write(links.use, purpose, token)
    assert house.write(links.use, "reset", second).id == house.ada.id
    with pytest.raises(Invalid):
        house.write(links.use, "reset", second)
    assert house.write(links.use, "invite", other).id == house.ada.id


def test_no_credential_lies_open(house):
    tokens = [made(house)[1], house.write(deploy_tokens.create, "ci", {}, None)[1]]
    tokens.append(house.write(lambda tx: links.issue(tx, "reset", tx.get(User, house.ada.id))))
    names = ("identity_personal_tokens", "identity_deploy_tokens", "identity_links", "audit_events", "domain_events")
    rows = house.db.read_sync(
        lambda tx: [str(row) for name in names for row in tx.execute(text(f"SELECT * FROM {name}"))]
    )
    for token in tokens:
        assert not any(token.reveal() in row or token.reveal()[20:] in row for row in rows)
