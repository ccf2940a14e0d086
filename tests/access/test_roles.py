"""Roles of one's own: what they carry counts at once; built-in ones stay as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from identity.conftest import house
from quarterdeck.access import grants, roles, seeding
from quarterdeck.access.catalogue import CATALOGUE, ROLES
from quarterdeck.access.decide import HIGHEST
from quarterdeck.identity import assignments, granting, members, organizations, users
from quarterdeck.identity.oidc import admitting, providers
from quarterdeck.identity.oidc.model import OidcProvider
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from quarterdeck.kernel.principal import Context, current

__all__ = ["house"]


def made(house, name="Watch", permissions=("broker:audit.read",), family="broker", by=None):
    return house.write(roles.create, house.access, name, "looks on", permissions, family, by=by)


def given(house, user, role):
    house.write(grants.give, house.access, user.id, house.organization.id, role.key)


def test_what_a_role_carries_counts_from_the_next_question_on(house):
    bob, role = house.user("bob"), made(house)
    assert house.permissions(bob) == frozenset()
    given(house, bob, role)
    assert house.permissions(bob) == {"broker:audit.read"}
    house.write(roles.set_permissions, house.access, role, ["broker:secret.list"], "broker")
    assert house.permissions(bob) == {"broker:secret.list"}
    with pytest.raises(Conflict):
        house.write(roles.remove, house.access, role)
    house.write(assignments.remove_role, house.access, role, "broker")
    assert house.permissions(bob) == frozenset()
    assert house.told("role.") == ["role.created", "role.changed", "role.taken", "role.deleted"]


def test_who_loses_a_deleted_role_stays_a_member_and_the_trail_says_who_lost_it(house):
    bob, role = house.user("bob"), made(house)
    given(house, bob, role)
    narrow = {"environment": "dev"}
    house.write(assignments.give, house.access, "broker", house.ada.uid, role.uid, narrow)
    joined = house.db.read_sync(members.find, house.organization.id, bob).joined_at
    house.write(assignments.remove_role, house.access, role, "broker")
    found = house.db.read_sync(members.find, house.organization.id, bob)
    assert (found.roles, found.joined_at) == ((grants.MEMBER,), joined)
    assert [one.id for one in house.db.read_sync(organizations.of_user, bob.id)] == [house.organization.id]
    details = "SELECT detail FROM audit_events WHERE action = 'role.taken' ORDER BY id"
    told = [str(row[0]) for row in house.db.read_sync(lambda tx: tx.execute(details).all())]
    assert [user.uid in one for user, one in zip((bob, house.ada), told, strict=True)] == [True, True]


def test_an_identity_provider_gives_no_role_that_is_gone(house):
    role = made(house)

    def added(tx):
        provider = providers.add(tx, "idp", "https://idp.example.com", "client")
        provider.group_roles, provider.default_roles = {"ops": [role.key, "tasks:developer"]}, [role.key]
        return provider.id

    def admitted(subject, *groups):
        claims = {"sub": subject, "groups": list(groups), "preferred_username": subject}
        return house.write(lambda tx: admitting.admit(tx, house.access, tx.get(OidcProvider, provider), claims))

    provider = house.write(added)
    assert house.roles(admitted("cleo")) == [role.key]
    house.write(assignments.remove_role, house.access, role, "broker")
    assert house.roles(admitted("dan", "ops")) == ["tasks:developer"]
    with pytest.raises(Forbidden) as raised:
        admitted("eve")
    assert raised.value.code == "oidc_not_admitted"


def test_a_surface_sees_its_own_family_and_the_custom_roles(house):
    made(house)
    names = {family: [role.name for role in house.write(roles.visible, family)] for family in ("broker", "runbooks")}
    assert names == {
        "broker": ["admin", "approver", "developer", "Watch"],
        "runbooks": ["super-admin", "Watch"],
    }
    with pytest.raises(NotFound):
        house.write(roles.find, "broker", name="super-admin")


def test_a_surface_replaces_its_own_permissions_and_leaves_those_of_others(house):
    role = made(house, permissions=("broker:audit.read", "runbooks:users.view"))
    house.write(roles.set_permissions, house.access, role, ["broker:secret.list"], "broker")
    carried = house.db.read_sync(roles.permissions_of, role)
    assert carried == ["broker:secret.list", "runbooks:users.view"]


def test_names_are_taken_once_without_case(house):
    made(house)
    for name in ("watch", "ADMIN"):
        with pytest.raises(Conflict) as raised:
            made(house, name)
        assert raised.value.code == "role_name_taken"


def test_what_no_catalogue_knows_is_refused(house):
    with pytest.raises(Invalid):
        made(house, permissions=("broker:everything", "*"))


def test_nobody_makes_a_role_of_another_surface_out_of_nothing(house):
    bob = house.user("bob", "broker:admin")
    with pytest.raises(Forbidden) as raised:
        made(house, permissions=("broker:audit.read", "deploy:organizations.delete"), by=bob)
    assert raised.value.code == "permission_not_held"
    made(house, permissions=("broker:secret.reveal.direct",), by=bob)


def test_a_built_in_role_is_changed_only_where_its_surface_says_so(house):
    bob = house.user("bob", "broker:approver")
    role = house.write(roles.find, "broker", name="approver")
    with pytest.raises(Conflict):
        house.write(roles.set_permissions, house.access, role, [], "broker")
    with pytest.raises(Conflict):
        house.write(assignments.remove_role, house.access, role, "broker")

    def changed(tx):
        found = roles.find(tx, "broker", name="approver")
        roles.set_permissions(tx, house.access, found, ["broker:agent.list"], "broker", built_in=True)

    house.write(changed)
    assert house.permissions(bob) == {"broker:agent.list"}


def test_the_role_that_changes_roles_cannot_lose_that(house):
    def emptied(tx):
        found = roles.find(tx, "broker", name="admin")
        roles.set_permissions(tx, house.access, found, ["broker:audit.read"], "broker", built_in=True)

    with pytest.raises(Conflict) as raised:
        house.write(emptied)
    assert raised.value.code == "role_keeps_permission"


def test_name_description_and_permissions_change_in_one_event(house):
    role = made(house)

    def changed(tx):
        found = roles.find(tx, "broker", uid=role.uid)
        roles.change(
            tx, house.access, found, "broker", name="Guard", description="", permissions=["broker:secret.list"]
        )
        roles.change(tx, house.access, found, "broker", name="Guard")

    house.write(changed)
    found = house.write(roles.find, "broker", name="guard")
    assert (found.description, house.db.read_sync(roles.permissions_of, found)) == (None, ["broker:secret.list"])
    assert house.told("role.") == ["role.created", "role.changed"]


def test_nobody_deletes_or_gives_permissions_of_another_surface_that_they_have_not_got(house):
    bob = house.user("bob", "broker:admin")
    role = made(house, permissions=("broker:audit.read", "deploy:organizations.delete"))
    given(house, house.ada, role)
    for verb, rest in (
        (roles.remove, (house.access, role)), (assignments.remove_role, (house.access, role, "broker")),
        (roles.require_given, ([role.key],)),
    ):  # fmt: skip
        with pytest.raises(Forbidden) as raised:
            house.write(verb, *rest, by=bob)
        assert raised.value.code == "permission_not_held"
    house.write(roles.require_given, [role.key])


def test_a_small_right_to_roles_is_not_a_right_to_everything_of_the_surface(house):
    """Neither by making a role, nor by changing one's own, nor by giving one that exists."""
    bob = house.user("bob")
    given(house, bob, made(house, "Roles", ("runbooks:roles.edit", "runbooks:users.assign_roles"), "runbooks"))
    own = house.write(roles.find, "runbooks", name="roles")
    many = ["runbooks:roles.edit", "runbooks:users.delete"]
    for verb, rest in (
        (roles.create, (house.access, "More", None, many, "runbooks")),
        (roles.set_permissions, (house.access, own, many, "runbooks")),
        (roles.require_given, (["runbooks:super-admin"],)),
    ):
        with pytest.raises(Forbidden) as raised:
            house.write(verb, *rest, by=bob)
        assert raised.value.code == "permission_not_held"


def test_every_permission_has_a_number_and_every_built_in_role_a_row(house):
    numbers = house.db.read_sync(roles.numbered)
    assert numbers.keys() == CATALOGUE.keys()
    assert len(set(numbers.values())) == len(numbers)
    house.db.write_sync(seeding.seed)
    assert house.db.read_sync(roles.numbered) == numbers
    rows = house.db.read_sync(lambda tx: [row[0] for row in tx.execute("SELECT key FROM access_roles")])
    assert sorted(rows) == sorted(ROLES)


def test_no_role_of_one_family_grants_a_permission_of_another():
    own = {"console", "workers", "jobs", "audit", "sources", "metrics", "servers", "organizations", "access"}
    surfaces = {"organization": {"deploy", "infra", "identity-providers", *own}}
    for key, permission in CATALOGUE.items():
        for role in permission.roles:
            family = role.split(":")[0]
            assert key.split(":")[0] in surfaces.get(family, {family}), (key, role)


def test_a_narrowed_grant_grants_nothing_in_the_whole_organization(house):
    bob = house.user("bob")
    house.write(grants.give, house.access, bob.id, house.organization.id, "broker:admin", scope='{"project_id":"p"}')
    assert house.permissions(bob) == frozenset()
    assert house.roles(bob) == []


@pytest.mark.parametrize("key", sorted(HIGHEST.values()))
def test_a_token_of_a_program_gives_no_highest_role(house, key):
    bob, ada = house.user("bob", grants.MEMBER), users.principal(house.ada, house.organization.id)
    token = current.set(Context(replace(ada, by_token=True), "req_1", "cor_1"))
    try:
        with pytest.raises(Forbidden) as refused:
            house.db.write_sync(lambda tx: granting.give(tx, house.access, bob, granting.role(tx, key)))
    finally:
        current.reset(token)
    assert refused.value.code == "session_required"
    assert house.roles(bob) == [grants.MEMBER]
    house.write(lambda tx: granting.give(tx, house.access, bob, granting.role(tx, key)))
    assert key in house.roles(bob)
