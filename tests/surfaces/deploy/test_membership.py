"""Members of an organization, invitations into it, and who owns it."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select, update

from quarterdeck.access import grants
from quarterdeck.identity import invitations
from quarterdeck.identity.model import Invitation, Organization, User
from quarterdeck.kernel import jobs, mail
from quarterdeck.kernel.vault.vault import Vault
from support.deck import HOME
from support.people import audited, noted, person

AT = {"organizationId": HOME}


async def members(deck, **rest):
    return (await deck.do("organizations.list-members", **AT, **rest))["items"]


async def letters(deck):
    """Letters that were posted, the oldest first."""
    import msgspec

    vault: Vault = deck.instance.vault
    found = await deck.instance.db.read(jobs.list_jobs, jobs.Filter(kind=mail.KIND))
    tasks = [job.read(mail.Task) for job in sorted(found, key=lambda job: job.id)]
    return [
        msgspec.json.decode(vault.open("jobs", task.uid, "letter", task.sealed).reveal(), type=mail.Letter)
        for task in tasks
    ]


async def test_members_are_listed_page_by_page(deck):
    bob, eve = await person(deck, "developer"), await person(deck, "viewer")
    found = await members(deck, token=eve.token)
    assert [(one["userId"], one["role"], one["status"]) for one in found[1:]] == [
        (bob.id, "developer", "active"),
        (eve.id, "viewer", "active"),
    ]
    assert found[0]["role"] == "owner"
    first = await deck.do("organizations.list-members", **AT, query={"limit": 2})
    rest = await deck.do("organizations.list-members", **AT, query={"limit": 2, "cursor": first["nextCursor"]})
    assert first["items"] + rest["items"] == found
    assert "nextCursor" not in rest
    await deck.refused(400, "validation_error", "organizations.list-members", **AT, query={"cursor": "zzz"})
    await deck.malformed("organizations.list-members", **AT, query={"limit": "251"})


async def test_somebody_is_asked_in_by_mail_and_the_link_is_in_no_answer(deck):
    body = {"email": "bob@example.com", "role": "developer"}
    made = await audited(deck, None, "invitation.created", "{invitationId}", "organizations.invite-member", body, **AT)
    assert (made["email"], made["role"], made["status"]) == ("bob@example.com", "developer", "pending")
    assert made["inviter"]["displayName"] == "Ada"
    assert made["mailed"] is False, "there is no mail server here"
    (letter,) = await letters(deck)
    assert letter.to == "bob@example.com"
    token = re.search(r"accept-invitation#(\w+)", letter.text)[1]
    assert "http://localhost/console/" in letter.text
    assert not any(token in text for text in deck.heard)
    row = await deck.instance.db.read(lambda tx: tx.first(select(Invitation)))
    assert row.expires_at - row.created_at == timedelta(hours=48)
    # Who has not come is no member yet.
    assert len(await members(deck)) == 1
    await deck.refused(409, "conflict", "organizations.invite-member", body, **AT)
    ada = {"email": "ada@example.com", "role": "viewer"}
    await deck.refused(409, "conflict", "organizations.invite-member", ada, **AT)
    await deck.malformed("organizations.invite-member", {"email": "bob", "role": "viewer"}, **AT)
    await deck.malformed("organizations.invite-member", {"email": "bob@example.com", "role": "king"}, **AT)
    assert len(await letters(deck)) == 1


async def test_an_expired_invitation_is_sent_anew_with_the_new_role_alone(deck):
    body = {"email": "bob@example.com", "role": "admin", "idempotencyKey": "key"}
    first = await deck.do("organizations.invite-member", body, **AT)
    assert await deck.do("organizations.invite-member", body, **AT) == first
    past = deck.instance.db.clock.now() - timedelta(hours=1)
    await deck.instance.db.write(lambda tx: tx.execute(update(Invitation).values(expires_at=past)))
    await deck.do("organizations.invite-member", {"email": "bob@example.com", "role": "viewer"}, **AT)

    def roles(tx):
        user = tx.one(select(User).where(User.email == "bob@example.com"), what="bob")
        home = tx.one(select(Organization), what="home").id
        return grants.roles_of(tx, user.id, home), invitations.newcomers(tx, home, [user.id])[user.id].roles

    assert await deck.instance.db.read(roles) == ([], ["organization:viewer"])
    states = {
        state: len((await deck.do("organizations.list-invitations", **AT, query={"status": state}))["items"])
        for state in ("pending", "expired", "accepted", "revoked")
    }
    assert states == {"pending": 1, "expired": 1, "accepted": 0, "revoked": 0}
    page = await deck.do("organizations.list-invitations", **AT, query={"limit": 1})
    rest = await deck.do("organizations.list-invitations", **AT, query={"limit": 1, "cursor": page["nextCursor"]})
    assert [one["items"][0]["role"] for one in (page, rest)] == ["viewer", "admin"]
    assert "nextCursor" not in rest


async def test_a_role_is_changed_and_counts_with_the_next_request(deck):
    bob = await person(deck, "viewer")
    joined = (await members(deck))[1]["joinedAt"]
    change = "organizations.change-member-role"
    await deck.refused(403, "product_auth_forbidden", "projects.create", {"name": "x"}, token=bob.token)
    changed = await audited(
        deck, None, "member.roles-changed", "{memberId}", change, {"role": "admin"}, memberId=bob.id, **AT
    )
    assert changed["role"] == "admin"
    assert changed["joinedAt"] == joined
    await deck.do("projects.create", {"name": "x"}, token=bob.token)
    answer, events = await noted(deck, change, {"role": "admin"}, memberId=bob.id, **AT)
    assert (answer.status_code, events) == (200, [])


async def test_owners_are_neither_changed_nor_removed_and_only_owners_make_owners(deck):
    ada = (await members(deck))[0]["memberId"]
    bob, eve = await person(deck, "admin"), await person(deck, "viewer")
    change, remove = "organizations.change-member-role", "organizations.remove-member"
    for token in (deck.token, bob.token):
        await deck.refused(400, "invariant_violation", change, {"role": "viewer"}, memberId=ada, token=token, **AT)
        await deck.refused(400, "invariant_violation", remove, {}, memberId=ada, token=token, **AT)
    for member in (bob.id, eve.id):
        await deck.refused(
            403, "product_auth_forbidden", change, {"role": "owner"}, memberId=member, token=bob.token, **AT
        )
    owner = {"email": "x@example.com", "role": "owner"}
    await deck.refused(403, "product_auth_forbidden", "organizations.invite-member", owner, token=bob.token, **AT)
    assert [one["role"] for one in await members(deck)] == ["owner", "admin", "viewer"]
    assert (await deck.do(change, {"role": "owner"}, memberId=bob.id, **AT))["role"] == "owner"


async def test_nobody_changes_what_they_are_themselves(deck):
    bob = await person(deck, "admin")
    for key, body in (("change-member-role", {"role": "viewer"}), ("remove-member", {})):
        await deck.refused(
            400, "invariant_violation", f"organizations.{key}", body, memberId=bob.id, token=bob.token, **AT
        )
    assert [one["role"] for one in await members(deck)] == ["owner", "admin"]
    same = await deck.do("organizations.change-member-role", {"role": "admin"}, memberId=bob.id, token=bob.token, **AT)
    assert same["role"] == "admin"


async def test_a_removed_member_is_out_at_once(deck):
    bob = await person(deck, "admin")
    gone = await audited(
        deck, None, "member.removed", "{memberId}", "organizations.remove-member", None, memberId=bob.id, **AT
    )
    assert (gone["memberId"], gone["organizationId"]) == (bob.id, HOME)
    assert (await deck.request("projects.list", token=bob.token)).status_code == 401
    for key, body in (("remove-member", {}), ("change-member-role", {"role": "viewer"})):
        for unknown in (bob.id, "0" * 32, "x", "%00"):
            await deck.refused(404, "not_found", f"organizations.{key}", body, memberId=unknown, **AT)


async def test_who_may_more_by_another_surface_is_not_removed_by_an_administrator_of_this_one(deck):
    bob, eve = await person(deck, "admin"), await person(deck, "viewer")

    def raised(tx):
        user = tx.one(select(User).where(User.uid == eve.uid), what="eve")
        grants.give(tx, deck.instance.access, user.id, tx.one(select(Organization), what="home").id,
                    "runbooks:super-admin")  # fmt: skip

    await deck.instance.db.write(raised)
    key = "organizations.remove-member"
    await deck.refused(403, "account_outranks", key, {}, memberId=eve.id, token=bob.token, **AT)
    assert len(await members(deck)) == 3
    await deck.do(key, {}, memberId=eve.id, **AT)


async def test_ownership_goes_to_another_active_member(deck):
    ada = (await members(deck))[0]["memberId"]
    bob, eve = await person(deck, "viewer"), await person(deck, "developer")
    key = "organizations.transfer-owner"

    def body(giver, taker):
        return {"fromMemberId": giver, "toMemberId": taker}

    await deck.refused(400, "validation_error", key, body(ada, ada), **AT)
    await deck.refused(400, "invariant_violation", key, body(bob.id, eve.id), **AT)
    await deck.refused(404, "not_found", key, body(ada, "0" * 32), **AT)
    await deck.malformed(key, {"fromMemberId": ada}, **AT)

    def deactivate(tx):
        tx.execute(update(User).where(User.uid == eve.uid).values(active=False))

    await deck.instance.db.write(deactivate)
    await deck.refused(400, "invariant_violation", key, body(ada, eve.id), **AT)
    done = await audited(deck, None, "organization.ownership-transferred", bob.uid, key, body(ada, bob.id), **AT)
    assert (done["fromMember"]["role"], done["toMember"]["role"]) == ("admin", "owner")
    await deck.refused(403, "product_auth_forbidden", key, body(bob.id, ada), **AT)
    assert [one["role"] for one in await members(deck)] == ["admin", "owner", "developer"]
