"""Who may do what, and why: roles of every family given and taken, and any permission of anybody explained."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from quarterdeck.access import CATALOGUE, Access, grants, roles
from quarterdeck.access.model import Role
from quarterdeck.identity import accounts, members, users
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound

MANAGE = "access:manage"
FEW = 10


@dataclass(frozen=True, slots=True)
class Explanation:
    """`carrying` are the roles that would permit it, `held` those that the person has, `by` those that do permit it;
    `could_give` are people who could change a no.
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


def member(tx: Tx, name: str) -> User:
    """A member of the caller's organization by username, e-mail address or id. Raises `NotFound` (`user_not_found`)."""
    found = users.find(tx, name) or users.by_uid(tx, name)
    return accounts.find(tx, found.id) if found is not None else accounts.find(tx, uid=name[:60])


def give(tx: Tx, access: Access, user: User, wanted: Role) -> bool:
    """Give a role in the whole organization; giving it again changes nothing. Answers whether it was new.

    Raises `Forbidden` (`permission_not_held`) for one that carries what the caller has not got, `Conflict`
    (`last_administrator`).
    """
    return _set(tx, access, user, wanted, there=True)


def take(tx: Tx, access: Access, user: User, unwanted: Role) -> bool:
    """Take a role that holds in the whole organization. Answers whether it was there. Raises as `give` does."""
    return _set(tx, access, user, unwanted, there=False)


def _set(tx: Tx, access: Access, user: User, meant: Role, *, there: bool) -> bool:
    organization_id = tx.principal.organization_id
    assert organization_id is not None  # noqa: S101 - a user's session always has one
    tx.lock("access:membership")
    held = set(accounts.roles_of(tx, user))
    if (meant.key in held) == there:
        return False
    roles.require_given(tx, [meant.key])
    if not there:
        accounts.require_no_more(tx, user, organization_id)
    family = meant.key.split(":")[0]
    mine = {key for key in held if key.split(":")[0] == family}
    members.set_roles(tx, access, user, organization_id, family, mine | {meant.key} if there else mine - {meant.key})
    return True


def explain(tx: Tx, access: Access, user: User, permission: str) -> Explanation:
    """Why somebody may use a permission in the caller's organization, or not. Raises `NotFound`
    (`permission_unknown`).
    """
    if permission not in CATALOGUE:
        raise NotFound(
            f"There is no permission {permission[:80]!r}.",
            code="permission_unknown",
            hint="Look at the list: qd role permissions",
        )
    organization_id = tx.principal.organization_id
    assert organization_id is not None  # noqa: S101 - a user's session always has one
    while not access.loaded:
        access.load(tx)
    named = {one.key: one.key if one.organization_id is None else one.name for one in all_roles(tx)}
    held = set(grants.roles_of(tx, user.id, organization_id)) & named.keys()
    carrying = {key for key in named if permission in access.carried(key)}
    decision = access.decide(users.principal(user, organization_id), permission, organization_id)
    allowed = decision.allowed and user.active
    return Explanation(
        user=user,
        permission=permission,
        allowed=allowed,
        reason=decision.reason if user.active else f"{user.username} is deactivated.",
        remedy="" if allowed else decision.remedy if user.active else "Activate them first.",
        carrying=tuple(sorted(named[key] for key in carrying)),
        held=tuple(sorted(named[key] for key in held)),
        by=tuple(sorted(named[key] for key in held & carrying)) if allowed else (),
        could_give=_could_give(tx, access, organization_id, permission),
    )


def _could_give(tx: Tx, access: Access, organization_id: int, permission: str) -> tuple[str, ...]:
    able = [
        user_id
        for user_id in grants.members(tx, organization_id)
        if {MANAGE, permission} <= access.permissions(user_id, organization_id)
    ]
    query = select(User.username).where(User.id.in_(able), User.active.is_(True)).order_by(User.username).limit(FEW)
    return tuple(tx.scalars(query))
