"""The newest tasks of some projects, read along indexes, however many tasks there are.

A list over several projects in the order of their tasks is a list of each, cut off, and put together: otherwise a
database reads all tasks of a project to sort them, or those of everybody to find a few.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Select, select, union_all

from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.work.model import Task

AT_ONCE = 100
"""Projects whose newest one statement asks for; SQLite takes no more than 500 parts."""


def numbers(tx: Tx, visible: set[int] | None, limit: int, before: int | None = None) -> list[int]:
    """Ids of the newest tasks of the caller's current organization in the `visible` projects (None: in all), so many
    at most, newest first; with `before` those with smaller ids.
    """
    wanted = select(Task.id).where(Task.organization_id == tx.principal.acts_in)
    if before is not None:
        wanted = wanted.where(Task.id < before)
    newest = wanted.order_by(Task.id.desc()).limit(limit)
    if visible is None:
        return list(tx.execute(newest).scalars())
    found = [row.id for query in parted(newest, visible) for row in tx.execute(query)]
    return sorted(found, reverse=True)[:limit]


def parted(query: Select[*tuple[object, ...]], visible: Collection[int]) -> Iterator[Select[*tuple[object, ...]]]:
    """A limited and ordered query of tasks, asked of each project for itself, many projects at a time."""
    projects = sorted(visible)
    for first in range(0, len(projects), AT_ONCE):
        parts = [select(query.where(Task.project_id == one).subquery()) for one in projects[first : first + AT_ONCE]]
        yield select(union_all(*parts).subquery())


def rows(tx: Tx, ids: Sequence[int]) -> list[Task]:
    """The tasks, in the order of their ids as they are given."""
    known = {task.id: task for task in tx.scalars(select(Task).where(Task.id.in_(ids)))}
    return [known[one] for one in ids if one in known]
