"""Giving and taking roles."""

from __future__ import annotations

from sqlalchemy import delete, select

from quarterdeck.access.decide import Access
from quarterdeck.access.model import Grant
from quarterdeck.kernel.db import Tx


def give(tx: Tx, access: Access, user_id: int, organization_id: int, role: str) -> None:
    """Grant a role once; giving it again changes nothing."""
    held = tx.first(
        select(Grant).where(
            Grant.user_id == user_id,
            Grant.organization_id == organization_id,
            Grant.role == role,
            Grant.project_id == 0,
        )
    )
    if held is None:
        tx.add(Grant(uid=tx.ids.uid(), user_id=user_id, organization_id=organization_id, role=role, created_at=tx.now))
    access.changed()
    tx.after_commit(access.changed)


def take_all(tx: Tx, access: Access, user_id: int, organization_id: int) -> None:
    tx.execute(delete(Grant).where(Grant.user_id == user_id, Grant.organization_id == organization_id))
    tx.after_commit(access.changed)


def roles_of(tx: Tx, user_id: int, organization_id: int) -> list[str]:
    """Role names (`family:role`), sorted."""
    return sorted(
        tx.execute(
            select(Grant.role).where(
                Grant.user_id == user_id, Grant.organization_id == organization_id, Grant.project_id == 0
            )
        ).scalars()
    )


def members(tx: Tx, organization_id: int) -> dict[int, list[str]]:
    """User id to role names in the organization."""
    found: dict[int, list[str]] = {}
    for row in tx.execute(
        select(Grant.user_id, Grant.role).where(Grant.organization_id == organization_id, Grant.project_id == 0)
    ):
        found.setdefault(row.user_id, []).append(row.role)
    return found
