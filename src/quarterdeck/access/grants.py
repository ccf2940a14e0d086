"""Giving and taking roles."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select

from quarterdeck.access.decide import Access
from quarterdeck.access.model import Grant
from quarterdeck.access.snapshot import carried
from quarterdeck.kernel.db import Tx

MEMBER = "member:plain"
"""Belongs to the organization and may do nothing more there: what is left to whom the last role was taken."""


@dataclass(frozen=True, slots=True)
class Membership:
    """`roles` are the keys of those that hold in the whole organization, sorted; `since` is when the first was given.

    Who has any grant in an organization belongs to it, and be it narrowed to one thing: every list, every sign-in and
    every decision asks it so.
    """

    roles: tuple[str, ...]
    since: datetime


def give(
    tx: Tx,
    access: Access,
    user_id: int,
    organization_id: int,
    role: str,
    *,
    project_id: int = 0,
    scope: str = "",
    since: datetime | None = None,
) -> Grant:
    """Grant a role (its key) once; giving it again changes nothing. Whoever calls writes the audit event. `since`: it
    takes the place of one that was held from then on.
    """
    held = tx.first(
        select(Grant).where(
            Grant.user_id == user_id,
            Grant.organization_id == organization_id,
            Grant.role == role,
            Grant.project_id == project_id,
            Grant.scope == scope,
        )
    )
    if held is None:
        held = tx.add(
            Grant(
                uid=tx.ids.uid(),
                user_id=user_id,
                organization_id=organization_id,
                project_id=project_id,
                role=role,
                scope=scope,
                granted_by=tx.principal.id if tx.principal.kind == "user" else None,
                created_at=since or tx.now,
            )
        )
    access.changed(user_id)
    access.note(tx, user_id)
    return held


def take(tx: Tx, access: Access, user_id: int, organization_id: int, role: str) -> bool:
    """Take a role that holds in the whole organization. Answers whether it was there."""
    taken = tx.execute(
        delete(Grant).where(
            Grant.user_id == user_id,
            Grant.organization_id == organization_id,
            Grant.role == role,
            Grant.project_id == 0,
            Grant.scope == "",
        )
    )
    access.note(tx, user_id)
    return bool(taken.rowcount)  # type: ignore[attr-defined]


def take_all(tx: Tx, access: Access, user_id: int, organization_id: int) -> None:
    tx.execute(delete(Grant).where(Grant.user_id == user_id, Grant.organization_id == organization_id))
    access.note(tx, user_id)


def belongs(tx: Tx, user_id: int, organization_id: int) -> bool:
    """Whether somebody has any grant in an organization, narrowed or not."""
    here = (Grant.user_id == user_id, Grant.organization_id == organization_id)
    return tx.execute(select(Grant.id).where(*here).limit(1)).first() is not None


def keep_member(tx: Tx, access: Access, user_id: int, organization_id: int, *, since: datetime | None = None) -> None:
    """Who loses roles leaves nothing by it: leaving is an act of its own. `since`: when they became a member."""
    if not belongs(tx, user_id, organization_id):
        give(tx, access, user_id, organization_id, MEMBER, since=since)


def everywhere(tx: Tx, user_id: int) -> dict[int, set[str]]:
    """Organization id to keys of the roles that somebody has there, narrowed ones too."""
    found: dict[int, set[str]] = {}
    for row in tx.execute(select(Grant.organization_id, Grant.role).where(Grant.user_id == user_id)):
        found.setdefault(row.organization_id, set()).add(row.role)
    return found


def roles_of(tx: Tx, user_id: int, organization_id: int) -> list[str]:
    """Keys of the roles that hold in the whole organization, sorted."""
    return sorted(
        tx.execute(
            select(Grant.role).where(
                Grant.user_id == user_id,
                Grant.organization_id == organization_id,
                Grant.project_id == 0,
                Grant.scope == "",
            )
        ).scalars()
    )


def holding(organization_id: int, roles: Collection[str]) -> Select[int]:
    """Numbers of those who have one of some roles (their keys) in the whole organization."""
    whole = (Grant.organization_id == organization_id, Grant.project_id == 0, Grant.scope == "")
    return select(Grant.user_id).where(*whole, Grant.role.in_(roles))


def permitted(tx: Tx, organization_id: int, permission: str) -> list[int]:
    """Numbers of those who have a role that carries a permission in the whole organization, by number: for whoever
    tells people something. What somebody may do is asked of `Access`.
    """
    carrying = carried(tx)[0].get(permission, frozenset())
    return sorted(set(tx.execute(holding(organization_id, carrying)).scalars()))


def members(tx: Tx, organization_id: int, among: Collection[int] | None = None) -> dict[int, Membership]:
    """User id to what everybody (or some) who have a grant in the organization have there."""
    roles: dict[int, list[str]] = {}
    since: dict[int, datetime] = {}
    columns = (Grant.user_id, Grant.role, Grant.project_id, Grant.scope, Grant.created_at)
    query = select(*columns).where(Grant.organization_id == organization_id)
    if among is not None:
        query = query.where(Grant.user_id.in_(among))
    for row in tx.execute(query):
        mine = roles.setdefault(row.user_id, [])
        if row.project_id == 0 and not row.scope:
            mine.append(row.role)
        since[row.user_id] = min(since.get(row.user_id, row.created_at), row.created_at)
    return {user_id: Membership(tuple(sorted(held)), since[user_id]) for user_id, held in roles.items()}
