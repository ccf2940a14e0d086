"""Roles that are held in one project alone: given, taken, and read for many projects at once.

A project is meant by its row id of workspace; whoever calls has found it in the caller's organization.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, func, select

from quarterdeck.access import grants
from quarterdeck.access.decide import Access
from quarterdeck.access.model import Grant
from quarterdeck.kernel.db import Tx


def role_of(tx: Tx, user_id: int, project_id: int) -> str | None:
    """Key of the role that somebody has in a project."""
    return tx.execute(select(Grant.role).where(Grant.project_id == project_id, Grant.user_id == user_id)).scalar()


def roles_of(tx: Tx, user_id: int, projects: Collection[int]) -> Mapping[int, str]:
    """Project to the key of the role that somebody has in it, of some projects."""
    mine = (Grant.user_id == user_id, Grant.project_id.in_(projects))
    return {row.project_id: row.role for row in tx.execute(select(Grant.project_id, Grant.role).where(*mine))}


def holders(tx: Tx, project_id: int, role: str | None = None) -> int:
    """How many people have a role in a project, or one role (its key) of it."""
    query = select(func.count()).select_from(Grant).where(Grant.project_id == project_id)
    return int(tx.execute(query if role is None else query.where(Grant.role == role)).scalar_one())


def counted(tx: Tx, projects: Collection[int]) -> Mapping[int, int]:
    """Project to how many people have a role in it; projects that nobody has one in are left out."""
    query = select(Grant.project_id, func.count()).where(Grant.project_id.in_(projects)).group_by(Grant.project_id)
    return {row[0]: row[1] for row in tx.execute(query)}


def first(tx: Tx, projects: Collection[int], most: int) -> Mapping[int, list[tuple[int, str]]]:
    """Project to the ids of the first so many people who were given a role in it, each with its key."""
    place = func.row_number().over(partition_by=Grant.project_id, order_by=Grant.id).label("place")
    numbered = select(Grant.project_id, Grant.user_id, Grant.role, place).where(Grant.project_id.in_(projects))
    rows = numbered.subquery()
    found: dict[int, list[tuple[int, str]]] = {}
    for row in tx.execute(select(rows).where(rows.c.place <= most).order_by(rows.c.project_id, rows.c.place)):
        found.setdefault(row.project_id, []).append((row.user_id, row.role))
    return found


def take(tx: Tx, access: Access, user_id: int, organization_id: int, project_id: int) -> None:
    """Take what somebody has in a project; they stay a member of the organization."""
    since = _since(tx, user_id, organization_id)
    tx.execute(delete(Grant).where(Grant.project_id == project_id, Grant.user_id == user_id))
    grants.keep_member(tx, access, user_id, organization_id, since=since)
    access.note(tx, user_id)


def take_all(tx: Tx, access: Access, organization_id: int, project_id: int) -> None:
    """Take what anybody has in a project, which goes; they stay members of the organization."""
    for user_id in list(tx.execute(select(Grant.user_id).where(Grant.project_id == project_id)).scalars()):
        take(tx, access, user_id, organization_id, project_id)


def _since(tx: Tx, user_id: int, organization_id: int) -> datetime | None:
    mine = (Grant.user_id == user_id, Grant.organization_id == organization_id)
    return tx.execute(select(Grant.created_at).where(*mine).order_by(Grant.created_at).limit(1)).scalar()
