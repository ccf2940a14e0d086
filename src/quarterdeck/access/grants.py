"""Giving and taking roles."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from quarterdeck.access.decide import Access
from quarterdeck.access.model import Grant
from quarterdeck.kernel.db import Tx

MEMBER = "member:plain"
"""Belongs to the organization and may do nothing more there: what is left to whom the last role was taken."""


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
    access.changed()
    tx.after_commit(access.changed)
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
    tx.after_commit(access.changed)
    return bool(taken.rowcount)  # type: ignore[attr-defined]


def take_all(tx: Tx, access: Access, user_id: int, organization_id: int) -> None:
    tx.execute(delete(Grant).where(Grant.user_id == user_id, Grant.organization_id == organization_id))
    tx.after_commit(access.changed)


def belongs(tx: Tx, user_id: int, organization_id: int) -> bool:
    """Whether somebody has any grant in an organization, narrowed or not."""
    here = (Grant.user_id == user_id, Grant.organization_id == organization_id)
    return tx.execute(select(Grant.id).where(*here).limit(1)).first() is not None


def keep_member(tx: Tx, access: Access, user_id: int, organization_id: int) -> None:
    """Who loses roles leaves nothing by it: leaving is an act of its own."""
    if not belongs(tx, user_id, organization_id):
        give(tx, access, user_id, organization_id, MEMBER)


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


def members(tx: Tx, organization_id: int) -> dict[int, list[str]]:
    """User id to keys of the roles that hold in the whole organization."""
    found: dict[int, list[str]] = {}
    for row in tx.execute(
        select(Grant.user_id, Grant.role).where(
            Grant.organization_id == organization_id, Grant.project_id == 0, Grant.scope == ""
        )
    ):
        found.setdefault(row.user_id, []).append(row.role)
    return found
