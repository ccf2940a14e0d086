"""Where a permission holds: narrowed grants, rules of objects, and the same decision as a condition of SQL."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import column, select, table

from identity.conftest import house
from quarterdeck.access import Access, Place, Thing, grants, places, roles, rules
from quarterdeck.access.filters import Columns, visible
from quarterdeck.access.model import ObjectRule, Role
from quarterdeck.identity import assignments, setup, users
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, Invalid, NotFound

__all__ = ["house"]

DEPLOY, REQUEST = "runbooks:services.deploy", "broker:secret.request"
WEB = Thing("service", "web")
HOST = Thing("host", "h1")


def may(house, user, permission, **where) -> bool:
    house.write(house.access.load)
    principal = users.principal(user, house.organization.id)
    return house.access.decide(principal, permission, Place(house.organization.id, **where)).allowed


def role(house, *permissions, name="Some"):
    return house.write(roles.create, house.access, name, None, permissions, None)


def ruled(house, thing, key, permission, *, allows, by=None):
    return house.write(rules.add, house.access, thing, key, permission, allows=allows, by=by)


def test_a_narrowed_grant_holds_in_its_part_alone(house):
    bob, wanted = house.user("bob", grants.MEMBER), role(house, REQUEST)
    house.write(
        assignments.give,
        house.access,
        "broker",
        bob.uid,
        wanted.uid,
        {"environment": "prod", "secret_ref_prefix": "pay/"},
    )
    assert may(house, bob, REQUEST, about={"environment": "prod", "secret_ref": "pay/db"})
    assert not may(house, bob, REQUEST, about={"environment": "prod", "secret_ref": "Pay/db"})
    assert not may(house, bob, REQUEST, about={"environment": "dev", "secret_ref": "pay/db"})
    assert not may(house, bob, REQUEST, about={"environment": "prod"}), "a fact left out opens nothing"
    assert not may(house, bob, REQUEST)
    assert not may(house, bob, DEPLOY, about={"environment": "prod", "secret_ref": "pay/db"})


def test_a_grant_in_a_project_holds_there(house):
    bob = house.user("bob")
    house.write(grants.give, house.access, bob.id, house.organization.id, "tasks:lead", project_id=7)
    assert may(house, bob, "tasks:machines.drain", project_id=7)
    assert not may(house, bob, "tasks:machines.drain", project_id=8)
    assert not may(house, bob, "tasks:machines.drain")


def test_a_rule_that_denies_goes_before_one_that_allows_and_both_before_roles(house):
    bob, wanted, other = house.user("bob"), role(house, DEPLOY), role(house, "runbooks:jobs.view_own", name="Other")
    for one in (wanted, other):
        house.write(grants.give, house.access, bob.id, house.organization.id, one.key)
    assert may(house, bob, DEPLOY, thing=HOST)
    denying = ruled(house, HOST, other.key, DEPLOY, allows=False)
    assert not may(house, bob, DEPLOY, thing=HOST)
    assert may(house, bob, DEPLOY, thing=Thing("host", "h2"))
    ruled(house, HOST, wanted.key, DEPLOY, allows=True)
    assert not may(house, bob, DEPLOY, thing=HOST)
    house.write(rules.remove, house.access, HOST, denying.uid)
    assert may(house, bob, DEPLOY, thing=HOST)
    assert house.told("access.") == ["access.rule-added", "access.rule-added", "access.rule-removed"]


def test_a_rule_allows_what_no_role_carries(house):
    bob, plain = house.user("bob"), role(house, "runbooks:jobs.view_own")
    house.write(grants.give, house.access, bob.id, house.organization.id, plain.key)
    assert not may(house, bob, DEPLOY, thing=HOST)
    ruled(house, HOST, plain.key, DEPLOY, allows=True)
    assert may(house, bob, DEPLOY, thing=HOST)
    assert not may(house, bob, DEPLOY)


def test_a_service_that_has_a_rule_is_closed_to_all_whom_none_allows(house):
    bob, eve, few = house.user("bob"), house.user("eve"), role(house, "runbooks:jobs.view_own")
    wide = role(house, DEPLOY, name="Wide")
    house.write(grants.give, house.access, bob.id, house.organization.id, wide.key)
    house.write(grants.give, house.access, eve.id, house.organization.id, few.key)
    assert may(house, bob, DEPLOY, thing=WEB)
    ruled(house, WEB, few.key, DEPLOY, allows=True)
    assert (may(house, bob, DEPLOY, thing=WEB), may(house, eve, DEPLOY, thing=WEB)) == (False, True)
    assert may(house, house.ada, DEPLOY, thing=WEB), "nobody locks the highest role out"


def test_rules_go_with_their_role_and_their_object(house):
    few, more = role(house, "runbooks:jobs.view_own"), role(house, DEPLOY, name="More")
    for key in (few.key, more.key):
        ruled(house, WEB, key, DEPLOY, allows=True)
    house.write(roles.remove, house.access, few)
    assert [one.role for one in house.write(rules.listed, WEB)] == [more.key]
    house.write(rules.forget, house.access, WEB)
    assert house.db.read_sync(lambda tx: tx.scalars(select(ObjectRule)).all()) == []


def test_a_rule_is_made_of_what_there_is_and_the_giver_has(house):
    bob, manages = house.user("bob"), role(house, "access:manage")
    house.write(grants.give, house.access, bob.id, house.organization.id, manages.key)
    with pytest.raises(Invalid, match="no permission"):
        ruled(house, WEB, manages.key, "runbooks:nothing", allows=True)
    with pytest.raises(NotFound, match="no role"):
        ruled(house, WEB, "custom:gone", DEPLOY, allows=True)
    with pytest.raises(Forbidden, match="have not got"):
        ruled(house, WEB, manages.key, DEPLOY, allows=True, by=bob)
    with pytest.raises(NotFound, match="no rule"):
        house.write(rules.remove, house.access, WEB, "gone")
    assert house.told("access.") == []


@pytest.mark.parametrize(
    "text", ["nowhere", "environment", "environment=", "planet=mars", "environment=a,environment=b", "/x"]
)
def test_what_names_no_place_is_refused(text):
    with pytest.raises(Invalid) as refused:
        places.read(text)
    assert refused.value.code == "place_malformed"


def test_places_are_read_as_people_write_them():
    assert places.read("service/web/api").thing == Thing("service", "web/api")
    assert places.read("environment=prod, secret_ref=pay/db").about == {"environment": "prod", "secret_ref": "pay/db"}


PARTS = ("", '{"environment":"prod"}', '{"secret_ref_prefix":"pay/"}', '{"environment":"dev","secret_ref_prefix":"p"}')
ROWS = [
    (number, organization, project, environment, secret)
    for number, (organization, project, environment, secret) in enumerate(
        (o, p, e, s) for o in (1, 2) for p in (0, 7, 8) for e in ("prod", "dev") for s in ("pay/db", "Pay/db", "x_y")
    )
]
KINDS = ("service", "host")


def chance(tx: Tx, access: Access, seed: int) -> tuple[int, int]:
    """Grants and rules by lot. Answers ids of a user and an organization."""
    draw = random.Random(seed)  # noqa: S311
    user, organization = users.create(tx, username=f"user{seed}").id, setup.default_organization(tx).id
    keys = ["runbooks:super-admin", "broker:admin", "tasks:lead", "custom:a", "custom:b"]
    for key in draw.sample(keys[1 if draw.random() < 0.7 else 0 :], 3):
        scope, project = draw.choice(PARTS), draw.choice((0, 0, 7))
        grants.give(tx, access, user, organization, key, scope=scope, project_id=project)
    for ref in draw.sample(range(len(ROWS)), draw.choice((0, 2, 6))):
        tx.add(
            ObjectRule(
                uid=tx.ids.uid(),
                organization_id=organization,
                kind=draw.choice(KINDS),
                ref=str(ref),
                role=draw.choice(keys),
                permission=draw.choice((DEPLOY, REQUEST)),
                allows=draw.random() < 0.5,
                created_by=None,
                created_at=tx.now,
            )
        )
    return user, organization


@pytest.mark.parametrize("seed", range(12))
async def test_a_list_holds_exactly_what_each_decision_allows(database, seed):
    """The condition of SQL and the decision are written twice, so they are held against each other by lot."""
    access = Access()

    def prepared(tx: Tx) -> tuple[int, int]:
        user, organization = chance(tx, access, seed)
        tx.execute(
            "CREATE TABLE some_rows (ref VARCHAR(9), org BIGINT, project BIGINT, env VARCHAR(9), secret VARCHAR(9))"
        )
        for number, other, project, environment, secret in ROWS:
            place = organization if other == 1 else organization + 1
            tx.execute(
                "INSERT INTO some_rows VALUES (:ref, :org, :project, :env, :secret)",
                {"ref": str(number), "org": place, "project": project, "env": environment, "secret": secret},
            )
        return user, organization

    user, organization = await database.write(prepared)
    await access.ready(database)
    ref, org, project, env, secret = (column(name) for name in ("ref", "org", "project", "env", "secret"))
    rows = table("some_rows", ref, org, project, env, secret)
    asking = await database.read(lambda tx: users.principal(tx.get(User, user), organization))
    for permission in (DEPLOY, REQUEST, "tasks:machines.drain"):
        for kind in KINDS:
            about = {"environment": env, "secret_ref": secret}
            columns = Columns(org, project, about, kind, ref)
            wanted = select(ref).select_from(rows).where(visible(access, asking, permission, columns))
            listed = {row[0] for row in await database.read(lambda tx, wanted=wanted: tx.execute(wanted).all())}
            decided = {
                str(number)
                for number, other, where, environment, secret_ref in ROWS
                if other == 1
                and access.decide(
                    asking,
                    permission,
                    Place(
                        organization,
                        where,
                        {"environment": environment, "secret_ref": secret_ref},
                        Thing(kind, str(number)),
                    ),
                ).allowed
            }
            assert listed == decided, (permission, kind)


def test_a_refusal_names_no_role_of_another_organization(house):
    bob = house.user("bob", grants.MEMBER)
    ours = role(house, DEPLOY, name="Ours")

    def theirs(tx: Tx) -> None:
        tx.get(Role, ours.id).organization_id = house.organization.id + 1

    house.write(house.access.load)
    principal = users.principal(bob, house.organization.id)
    assert "Ours" in house.access.decide(principal, DEPLOY).reason
    house.write(theirs)
    house.access.changed()
    house.write(house.access.load)
    refused = house.access.decide(principal, DEPLOY).reason
    assert ("Ours" in refused, "super-admin" in refused) == (False, True)
