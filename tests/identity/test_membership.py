"""Asking in, roles, leaving, owning: and the last administrator, who stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quarterdeck.access import grants
from quarterdeck.access.decide import HIGHEST
from quarterdeck.identity import invitations, links, members, recovery, sessions
from quarterdeck.identity.model import Invitation, User
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound

LIFE = timedelta(hours=48)


def invited(house, email="bob@example.com", *roles):
    return house.write(invitations.invite, email, roles or ("organization:developer",), life=LIFE)


def test_who_is_asked_in_is_no_member_before_they_come(house):
    made = invited(house)
    assert not house.fresh(made.user).active
    assert [one.user.username for one in house.db.read_sync(members.listed, house.organization.id)] == ["ada"]
    user, _ = house.db.write_sync(invitations.accept, house.access, made.token.reveal(), "hash", "Bob")
    assert (user.active, user.display_name, user.password_hash) == (True, "Bob", "hash")
    found = house.db.read_sync(members.listed, house.organization.id)
    assert [(one.user.username, one.roles) for one in found][1:] == [("bob", ("organization:developer",))]
    with pytest.raises(Invalid):
        house.db.write_sync(invitations.accept, house.access, made.token.reveal(), "other")
    assert house.told("invitation") == ["invitation.created", "invitation.accepted"]


def test_nobody_is_asked_in_twice(house):
    made = invited(house)
    with pytest.raises(Conflict) as raised:
        invited(house)
    assert raised.value.code == "invitation_pending"
    house.db.write_sync(invitations.accept, house.access, made.token.reveal(), "hash")
    with pytest.raises(Conflict) as raised:
        invited(house)
    assert raised.value.code == "already_member"


def test_a_newer_mail_ends_the_one_before_and_a_revoked_invitation_lets_nobody_in(house):
    first = invited(house)

    def renewed(tx):
        return invitations.renew(tx, tx.get(Invitation, first.invitation.id), LIFE)

    second = house.write(renewed)
    with pytest.raises(Invalid):
        house.db.write_sync(invitations.accept, house.access, first.token.reveal(), "hash")

    def revoked(tx):
        invitations.revoke(tx, tx.get(Invitation, first.invitation.id))

    house.write(revoked)
    house.write(revoked)
    with pytest.raises(Invalid):
        house.db.write_sync(invitations.accept, house.access, second.token.reveal(), "hash")
    assert house.roles(first.user) == []
    assert invited(house).user.id == first.user.id


def names(house):
    return [one.user.username for one in house.db.read_sync(members.listed, house.organization.id)]


def test_who_is_kept_out_stays_listed_after_an_older_invitation_that_nobody_accepted(house):
    first = invited(house)
    house.write(lambda tx: invitations.revoke(tx, tx.get(Invitation, first.invitation.id)))
    user, _ = house.db.write_sync(invitations.accept, house.access, invited(house).token.reveal(), "hash")
    house.write(lambda tx: members.set_active(tx, house.access, tx.get(User, user.id), active=False))
    assert names(house) == ["ada", "bob"]


def test_one_member_is_found_without_reading_the_others(house, monkeypatch):
    bob = house.user("bob", "tasks:lead")
    read = []
    members_of = grants.members

    def seen(*given):
        found = members_of(*given)
        read.extend(found)
        return found

    monkeypatch.setattr(grants, "members", seen)
    assert house.db.read_sync(members.find, house.organization.id, bob).roles == ("tasks:lead",)
    assert read == [bob.id]
    for nobody in (None, house.user("eve")):
        with pytest.raises(NotFound):
            house.db.read_sync(members.find, house.organization.id, nobody)


def test_roles_of_one_family_are_replaced_and_others_stay(house):
    bob = house.user("bob", "organization:viewer", "tasks:lead")
    house.write(members.set_roles, house.access, bob, house.organization.id, "organization", ["organization:admin"])
    assert house.roles(bob) == ["organization:admin", "tasks:lead"]
    assert "deploy:projects.create" in house.permissions(bob)
    house.write(members.remove, house.access, bob, house.organization.id)
    assert house.roles(bob) == []
    assert house.permissions(bob) == frozenset()


@pytest.mark.parametrize("family", HIGHEST)
def test_the_last_administrator_of_a_family_stays(house, family):
    role = HIGHEST[family]
    change = (members.set_roles, house.access, house.ada, house.organization.id, family, [])
    with pytest.raises(Conflict) as raised:
        house.write(*change)
    assert raised.value.code == "last_administrator"
    with pytest.raises(Invalid) as kept:
        house.write(members.remove, house.access, house.ada, house.organization.id)
    assert kept.value.code == "invariant_violation"  # she owns the organization, too

    def leave(tx):
        members.set_active(tx, house.access, tx.get(User, house.ada.id), active=False)

    with pytest.raises(Conflict):
        house.write(leave)
    house.user("bob", role)
    house.write(*change)
    assert role not in house.roles(house.ada)


def test_an_inactive_administrator_does_not_count(house):
    bob = house.user("bob", "organization:owner")

    def leave(tx):
        members.set_active(tx, house.access, tx.get(User, bob.id), active=False)

    house.write(leave)
    with pytest.raises(Conflict):
        house.write(members.set_roles, house.access, house.ada, house.organization.id, "organization", [])


def test_ownership_goes_over_whole(house):
    bob = house.user("bob", "organization:viewer", "tasks:lead")
    give = (members.transfer_ownership, house.access, house.organization.id)
    for giver, taker, kind in ((house.ada, house.ada, Invalid), (bob, house.ada, Conflict)):
        with pytest.raises(kind):
            house.write(*give, giver, taker)
    with pytest.raises(NotFound):
        house.write(*give, house.ada, house.user("eve"))
    house.write(*give, house.ada, bob)
    assert house.roles(bob) == ["organization:owner", "tasks:lead"]
    assert "organization:admin" in house.roles(house.ada)
    assert "organization:owner" not in house.roles(house.ada)


def test_a_forgotten_password_is_set_once_and_ends_every_session(house):
    opened = house.write(
        lambda tx: sessions.open_session(
            tx, tx.get(User, house.ada.id), house.organization, kinds=("access",), client_kind="web"
        )
    )
    token = house.db.write_sync(lambda tx: links.issue(tx, "reset", tx.get(User, house.ada.id)))
    house.db.write_sync(recovery.reset, token.reveal(), "other")
    assert house.fresh(house.ada).password_hash == "other"
    assert house.db.read_sync(sessions.authenticate, opened.tokens["access"].reveal()) is None
    with pytest.raises(Invalid):
        house.db.write_sync(recovery.reset, token.reveal(), "third")


def test_a_link_is_made_for_whoever_has_the_address_alone(house):
    for address, links_made in (("eve@example.com", 0), ("", 0), ("ADA@example.com", 1)):
        house.db.write_sync(recovery.send_link, address, "https://deck.example.com")
        found = house.db.read_sync(lambda tx: tx.execute("SELECT user_id FROM identity_links").scalars().all())
        assert found == [house.ada.id] * links_made
