"""How many tasks are in which state, and how many ended today.

What lives is counted by `ix_tasks_tasks_live_of_project`, which holds live tasks alone; what ended today by
`ix_tasks_tasks_finished_at`, from midnight on. What ended before is never read.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.work.model import Task


def living(tx: Tx, visible: set[int] | None) -> dict[str, int]:
    """Status to how many live tasks of the `visible` projects (None: of all) have it."""
    return _by_status(tx, visible, Task.finished_at.is_(None))


def ended_since(tx: Tx, visible: set[int] | None, since: datetime) -> dict[str, int]:
    """Status to how many tasks have ended with it since then."""
    return _by_status(tx, visible, Task.finished_at.is_not(None), Task.finished_at >= since)


def midnight(tx: Tx) -> datetime:
    """When today began, in UTC."""
    return tx.now.replace(hour=0, minute=0, second=0, microsecond=0)


def _by_status(tx: Tx, visible: set[int] | None, *where: ColumnElement[bool]) -> dict[str, int]:
    query = select(Task.status, func.count()).where(Task.organization_id == tx.principal.acts_in, *where)
    if visible is not None:
        query = query.where(Task.project_id.in_(sorted(visible)))
    return {row[0]: row[1] for row in tx.execute(query.group_by(Task.status))}
