"""Who may do what, and why: roles of every family given and taken, and any permission of anybody explained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from quarterdeck.access import CATALOGUE, Access, Place, grants, roles
from quarterdeck.access.model import Grant, Role
from quarterdeck.access.places import HERE
from quarterdeck.identity import accounts, assignments, members, ranks, users
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.text import FEW

MANAGE = "access:manage"


@dataclass(frozen=True, slots=True)
class Explanation:
    """`carrying` are the roles that would permit it, `held` those that the person has there, `by` those that do permit
    it; `could_give` are people who could change a no.
    """

    user: User
    permission: str
    allowed: bool
    reason: str
    remedy: str
    carrying: tuple[str, ...]
    held: tuple[str, ...]
    by: tuple[str, ...]
    could_give: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A role that somebody has, and where: an empty `scope` is the whole organization. `by` is None where nobody gave
    it; `id` is the uid of the grant.
    """

    id: str
    number: int
    user: User
    role: Role
    scope: Mapping[str, str]
    by: str | None
    since: datetime


def all_roles(tx: Tx) -> list[Role]:
    """The built-in roles of every family and the organization's own, by key."""
    here = (Role.organization_id == tx.principal.organization_id) | Role.organization_id.is_(None)
    return list(tx.scalars(select(Role).where(here).order_by(Role.key)))


def role(tx: Tx, name: str) -> Role:
    """One of them by its key (`organization:admin`), its id, or its name where that is of one role alone. Raises
    `NotFound` (`role_not_found`).
    """
    known = all_roles(tx)
    exact = [one for one in known if name in {one.key, one.uid}]
    alike = exact or [one for one in known if one.name.lower() == name.lower()]
    if len(alike) != 1:
        several = ", ".join(one.key for one in alike)
        raise NotFound(
            f"There is no role {name[:80]!r}." if not alike else f"{name[:80]!r} is several roles: {several}.",
            code="role_not_found",
            hint="Write family:role, such as organization:developer. The list: qd role ls",
        )
    return alike[0]


def label(role: Role) -> str:
    """How people call a role: a built-in one by its key, one of the organization's own by its name."""
    return role.key if role.organization_id is None else role.name


def member(tx: Tx, name: str) -> User:
    """A member of the caller's organization by username, e-mail address or id. Raises `NotFound` (`user_not_found`)."""
    found = users.find(tx, name) or users.by_uid(tx, name)
    if found is None or not accounts.is_listed(tx, found):
        raise accounts.missing(name)
    return found


def give(tx: Tx, access: Access, user: User, wanted: Role) -> bool:
    """Give a role in the whole organization; giving it again changes nothing. One of the family `organization` takes
    the place of the one before. Answers whether it was new.

    Raises `Forbidden` (`permission_not_held`) for one that carries what the caller has not got, `Conflict`
    (`last_administrator`), and as `ranks.make` does.
    """
    return _set(tx, access, user, wanted, there=True)


def take(tx: Tx, access: Access, user: User, unwanted: Role) -> bool:
    """Take a role that holds in the whole organization. Answers whether it was there. Raises as `give` does."""
    return _set(tx, access, user, unwanted, there=False)


def _set(tx: Tx, access: Access, user: User, meant: Role, *, there: bool) -> bool:
    organization_id = tx.principal.acts_in
    tx.lock("access:membership")
    now = set(accounts.roles_of(tx, user))
    if (meant.key in now) == there:
        return False
    roles.require_given(tx, [meant.key])
    if meant.family == ranks.FAMILY:
        if there:
            ranks.make(tx, access, user, meant.name)
        else:
            ranks.take(tx, access, user)
        return True
    if not there:
        accounts.require_no_more(tx, user, organization_id)
    family = meant.key.split(":")[0]
    mine = {key for key in now if key.split(":")[0] == family}
    members.set_roles(tx, access, user, organization_id, family, mine | {meant.key} if there else mine - {meant.key})
    return True


def held(
    tx: Tx, *, user: User | None = None, role: Role | None = None, after: int = 0, limit: int | None = None
) -> list[Held]:
    """Who has which role where in the caller's organization, in the order in which it was given: of somebody, or of a
    role; those with a number above `after`.
    """
    giver = aliased(User)
    query = (
        select(Grant, User, Role, giver.username)
        .join(User, User.id == Grant.user_id)
        .join(Role, Role.key == Grant.role)
        .outerjoin(giver, giver.id == Grant.granted_by)
        .where(Grant.organization_id == tx.principal.organization_id, Grant.project_id == 0, Grant.id > after)
    )
    if user is not None:
        query = query.where(Grant.user_id == user.id)
    if role is not None:
        query = query.where(Grant.role == role.key)
    return [
        Held(one.uid, one.id, who, what, json.loads(one.scope) if one.scope else {}, by, one.created_at)
        for one, who, what, by in tx.session.execute(query.order_by(Grant.id).limit(limit)).all()
    ]


def holders(tx: Tx) -> dict[str, tuple[int, int]]:
    """Key of a role to how many people of the organization have it, and how many of them only narrowed."""
    here = Grant.organization_id == tx.principal.organization_id
    people = func.count(func.distinct(Grant.user_id))
    query = select(Grant.role, people.label("people")).where(here).group_by(Grant.role)
    everybody: dict[str, int] = {row.role: row.people for row in tx.execute(query)}
    whole: dict[str, int] = {row.role: row.people for row in tx.execute(query.where(Grant.scope == ""))}
    return {key: (number, number - whole.get(key, 0)) for key, number in everybody.items()}


def narrow(tx: Tx, access: Access, user: User, wanted: Role, scope: Mapping[str, str]) -> None:
    """Give a role for a part of the organization alone. Raises as `assignments.give` does, and `Invalid`
    (`scope_malformed`) for a role of a family that knows no parts.
    """
    if wanted.family not in {"broker", roles.CUSTOM}:
        raise Invalid(
            f"{wanted.key} holds in the whole organization or not at all.",
            code="scope_malformed",
            hint="Leave the place open, or choose a role of the broker or one of your own.",
            field="scope",
        )
    assignments.give(tx, access, wanted.family, user.uid, wanted.uid, scope)


def take_one(tx: Tx, access: Access, user: User, uid: str) -> None:
    """Take a role by its grant, narrowed or not. Raises `NotFound` (`assignment_not_found`) and as `take` does."""
    found = next((one for one in held(tx, user=user) if one.id == uid), None)
    if found is None:
        raise NotFound(
            f"{user.username} has no such role any more.",
            code="assignment_not_found",
            hint="Look at what they have now.",
        )
    if found.scope:
        assignments.take(tx, access, found.role.family, uid)
    else:
        take(tx, access, user, found.role)


def explain(tx: Tx, access: Access, user: User, permission: str, place: Place = HERE) -> Explanation:
    """Why somebody may use a permission in the caller's organization, or in a place in it, or not. Raises `NotFound`
    (`permission_unknown`).
    """
    if permission not in CATALOGUE:
        raise NotFound(
            f"There is no permission {permission[:80]!r}.",
            code="permission_unknown",
            hint="Look at the list: qd role permissions",
        )
    organization_id = tx.principal.acts_in
    access.load(tx)
    named = {one.key: label(one) for one in all_roles(tx)}
    there = {part.role for part in access.parts(user.id, organization_id) if part.covers(place)}
    has = (set(grants.roles_of(tx, user.id, organization_id)) | there) & named.keys()
    carrying = {key for key in named if permission in access.carried(key)}
    decision = access.decide(
        users.principal(user, organization_id), permission, replace(place, organization_id=organization_id)
    )
    allowed = decision.allowed and user.active
    out, let_in = f"{user.username} is deactivated.", "Activate them first."
    if user.joined_at is None:
        has |= set(accounts.roles_of(tx, user)) & named.keys()
        out = f"{user.username} was asked in and has not come yet."
        let_in = (
            f"Send the invitation again: qd user resend {accounts.addresses_of(tx, [user])[user.id] or user.username}"
        )
    return Explanation(
        user=user,
        permission=permission,
        allowed=allowed,
        reason=decision.reason if user.active else out,
        remedy="" if allowed else decision.remedy if user.active else let_in,
        carrying=tuple(sorted(named[key] for key in carrying)),
        held=tuple(sorted(named[key] for key in has)),
        by=tuple(sorted(named[key] for key in has & carrying)) if allowed else (),
        could_give=could_give(tx, access, permission),
    )


def could_give(tx: Tx, access: Access, permission: str) -> tuple[str, ...]:
    """Some people of the caller's organization who could give somebody a permission: they manage roles and have it."""
    access.load(tx)
    query = select(User.username).where(User.active.is_(True))
    for carrying in (access.carrying(MANAGE), access.carrying(permission)):
        query = query.where(User.id.in_(grants.holding(tx.principal.acts_in, carrying)))
    return tuple(tx.scalars(query.order_by(User.username).limit(FEW)))
