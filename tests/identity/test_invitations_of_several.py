"""Two organizations ask in the same new address: each mail is of its own invitation, and gives its own roles alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from quarterdeck.access import grants
from quarterdeck.identity import accounts, assignments, invitations, members, organizations, sessions
from quarterdeck.identity.model import Invitation, Link, User
from quarterdeck.kernel.db.migrations.versions import v0015_links_of_invitations as upgrade
from quarterdeck.kernel.errors import Forbidden, Invalid, NotFound, Unauthenticated

LIFE = timedelta(hours=48)
EMAIL, HASH = "new@example.com", "hash"


class Two:
    """Organizations B and C, both of Ada's, and what they asked."""

    def __init__(self, house):
        self.house = house
        self.b, self.c = (
            house.write(lambda tx, name=name: organizations.create(tx, house.access, name).id) for name in ("B", "C")
        )
        self.by_b, self.by_c = self.ask(self.b), self.ask(self.c, "organization:admin")
        self.user = self.by_b.user

    def inside(self, organization, verb):
        def unit(tx):
            tx.act_as(replace(tx.principal, organization_id=organization))
            return verb(tx)

        return self.house.write(unit)

    def ask(self, organization, role="organization:viewer"):
        return self.inside(organization, lambda tx: invitations.invite(tx, EMAIL, [role], life=LIFE))

    def accept(self, token, password_hash=HASH):
        return self.house.db.write_sync(invitations.accept, self.house.access, token.reveal(), password_hash)

    def held(self):
        return self.house.db.read_sync(grants.everywhere, self.user.id)

    def status(self, made):
        return self.house.db.read_sync(lambda tx: invitations.status(tx, tx.get(Invitation, made.invitation.id)))


@pytest.fixture
def two(house):
    return Two(house)


def test_each_mail_accepts_its_own_invitation_and_gives_its_own_roles(two):
    assert two.held() == {}
    again = two.inside(two.b, lambda tx: invitations.renew(tx, tx.get(Invitation, two.by_b.invitation.id), LIFE))
    user, accepted = two.accept(again.token)
    assert (accepted.organization_id, two.held()) == (two.b, {two.b: {"organization:viewer"}})
    assert (two.status(two.by_b), two.status(two.by_c)) == ("accepted", "pending")
    with pytest.raises(Invalid):
        two.accept(two.by_b.token)
    with pytest.raises(Unauthenticated):  # a second first password
        two.accept(two.by_c.token, "other")
    two.accept(two.by_c.token, None)
    assert two.held() == {two.b: {"organization:viewer"}, two.c: {"organization:admin"}}
    assert two.house.fresh(user).password_hash == HASH


def test_one_that_is_revoked_leaves_the_mail_of_the_other(two):
    two.inside(two.c, lambda tx: invitations.revoke(tx, tx.get(Invitation, two.by_c.invitation.id)))
    with pytest.raises(Invalid):
        two.accept(two.by_c.token)
    assert two.accept(two.by_b.token)[1].id == two.by_b.invitation.id


def test_who_is_deleted_while_they_wait_can_still_come_to_the_other(two):
    two.inside(two.b, lambda tx: accounts.remove(tx, two.house.access, accounts.find(tx, two.user.id)))
    assert two.house.fresh(two.user).email == EMAIL
    with pytest.raises(NotFound):
        two.inside(two.b, lambda tx: accounts.find(tx, two.user.id))
    assert two.accept(two.by_c.token)[1].id == two.by_c.invitation.id
    two.inside(two.c, lambda tx: accounts.remove(tx, two.house.access, tx.get(User, two.user.id)))
    assert two.house.fresh(two.user).email is None


def test_who_waits_is_among_the_accounts_with_the_roles_to_come_and_no_member(two):
    listed = two.inside(two.c, accounts.listed)
    assert [one.username for one in listed] == ["ada", two.user.username]
    assert two.inside(two.c, lambda tx: accounts.roles_of(tx, two.user)) == ["organization:admin"]
    assert two.user.id not in [one.user.id for one in two.house.db.read_sync(members.listed, two.c)]

    def change(tx):
        user = tx.get(User, two.user.id)
        members.set_roles(tx, two.house.access, user, two.c, "organization", ["organization:billing"])
        with pytest.raises(Invalid):
            assignments.give(tx, two.house.access, "broker", user.uid, "any")

    two.inside(two.c, change)
    assert two.held() == {}
    two.accept(two.by_c.token)
    assert two.held() == {two.c: {"organization:billing"}}


def test_nobody_takes_hold_of_an_account_that_more_waits_for(two):
    eve = two.house.user("eve")
    two.house.write(lambda tx: grants.give(tx, two.house.access, eve.id, two.b, "organization:viewer"))

    def change(tx):
        tx.act_as(replace(tx.principal, organization_id=two.b))
        accounts.change(tx, two.house.access, accounts.find(tx, two.user.id), email="eve2@example.com")

    with pytest.raises(Forbidden) as raised:
        two.house.write(change, by=eve)
    assert raised.value.code == "account_outranks"


def test_what_older_versions_gave_and_mailed_goes_into_its_invitation(two, monkeypatch):
    """As 0014 left it: grants of who has not come, and links without an invitation."""

    def upgraded(tx):
        for place, role in ((two.b, "organization:developer"), (two.c, "organization:admin")):
            grants.give(tx, two.house.access, two.user.id, place, role)
        for days, made in enumerate((two.by_b, two.by_c)):
            ends = made.invitation.expires_at + timedelta(days=days)
            tx.get(Invitation, made.invitation.id).expires_at = ends
            mine = Link.hash == sessions.token_hash(made.token.reveal())
            tx.execute(update(Link).where(mine).values(expires_at=ends, invitation_id=None))
        tx.flush()
        monkeypatch.setattr(upgrade.op, "execute", tx.execute)
        monkeypatch.setattr(upgrade.op, "get_bind", lambda: tx.connection)
        upgrade._name_invitations()
        upgrade._take_back_what_waits()

    two.house.db.write_sync(upgraded)
    assert two.held() == {}
    assert two.accept(two.by_b.token)[1].id == two.by_b.invitation.id
    assert two.held() == {two.b: {"organization:developer"}}
    assert two.accept(two.by_c.token, None)[1].id == two.by_c.invitation.id
