"""Who has narrowed roles alone is a member like any other: in lists, at the sign-in, and where accounts end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quarterdeck.access import grants, roles
from quarterdeck.identity import accounts, assignments, invitations, members, organizations, signing_in
from quarterdeck.identity.attempts import Attempts
from quarterdeck.identity.model import User
from quarterdeck.identity.oidc import admitting, providers
from quarterdeck.identity.oidc.model import OidcProvider
from quarterdeck.identity.passwords import hashed
from quarterdeck.kernel.errors import Conflict, Forbidden
from quarterdeck.kernel.vault import Secret

NARROW = '{"environment":"dev"}'
CLAIMS = {"sub": "s1", "email": "cleo@example.com", "email_verified": True, "preferred_username": "cleo"}


def narrowed(house, user, organization_id=None):
    place = organization_id or house.organization.id
    house.write(lambda tx: grants.give(tx, house.access, user.id, place, "broker:developer", scope=NARROW))


def places(house, user):
    return [one.name for one in house.db.read_sync(organizations.of_user, user.id)]


def test_they_are_listed_found_and_asked_in_no_second_time(house):
    bob = house.user("bob")
    narrowed(house, bob)
    found = house.db.read_sync(members.listed, house.organization.id)
    assert [(one.user.username, one.roles) for one in found][1:] == [("bob", ())]
    assert house.db.read_sync(members.find, house.organization.id, bob).user.id == bob.id
    assert places(house, bob) == [house.organization.name]
    assert house.permissions(bob) == frozenset()
    with pytest.raises(Conflict) as raised:
        house.write(invitations.invite, "bob@example.com", [], life=timedelta(hours=1))
    assert raised.value.code == "already_member"


async def test_they_sign_in(house):
    bob = house.user("bob")
    narrowed(house, bob)
    known = hashed(Secret("correct horse battery"))

    def known_by(tx):
        tx.get(User, bob.id).password_hash = known

    house.write(known_by)
    opened = await signing_in.sign_in(
        house.db, Attempts(), "bob", Secret("correct horse battery"), kinds=("session",), client_kind="web"
    )
    assert opened.session.organization_id == house.organization.id


def test_the_whole_of_a_role_taken_leaves_who_has_a_part_of_it(house):
    bob = house.user("bob", "tasks:developer")
    role = house.write(roles.find, "broker", name="developer")
    whole = house.write(assignments.give, house.access, "broker", bob.uid, role.uid)
    house.write(assignments.give, house.access, "broker", bob.uid, role.uid, {"environment": "dev"})
    house.write(members.set_roles, house.access, bob, house.organization.id, "tasks", [])
    house.write(assignments.take, house.access, "broker", whole.id)
    assert [one.user.username for one in house.db.read_sync(members.listed, house.organization.id)] == ["ada", "bob"]
    assert places(house, bob) == [house.organization.name]


def test_who_is_removed_here_keeps_the_account_for_a_narrowed_membership_elsewhere(house):
    bob = house.user("bob", "organization:viewer")
    second = house.write(lambda tx: organizations.create(tx, house.access, "Second").id)
    narrowed(house, bob, second)
    house.write(lambda tx: accounts.remove(tx, house.access, tx.get(User, bob.id)))
    assert (house.fresh(bob).username, house.fresh(bob).active, places(house, bob)) == ("bob", True, ["Second"])


def test_an_identity_provider_lets_them_in_again(house):
    def added(tx):
        made = providers.add(tx, "idp", "https://idp.example.com", "client")
        made.default_roles = ["broker:developer"]
        return made.id

    provider = house.write(added)

    def admitted():
        return house.write(lambda tx: admitting.admit(tx, house.access, tx.get(OidcProvider, provider), CLAIMS))

    cleo = admitted()
    narrowed(house, cleo)
    house.write(lambda tx: grants.take(tx, house.access, cleo.id, house.organization.id, "broker:developer"))
    assert admitted().id == cleo.id
    house.write(lambda tx: grants.take_all(tx, house.access, cleo.id, house.organization.id))
    assert isinstance(admitted(), Forbidden)


def test_every_organization_is_asked_where_they_belong(house):
    bob = house.user("bob")
    narrowed(house, bob)
    house.db.read_sync(house.access.load)
    assert house.access._snapshot.places[bob.id] == (house.organization.id,)
