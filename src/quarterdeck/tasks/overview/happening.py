"""What happened last to the tasks of some projects.

A task's row says when something happened to it last, so that the newest events are those of the tasks that were active
last: the live ones by `updated_at`, the others by when they ended. Of each of these few the newest events are read.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, select

from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.overview.newest import parted
from quarterdeck.tasks.work.model import Task

UNTOLD = "log"
"""The type of events that are lines of output rather than something that happened."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a task."""

    event: events.Event
    task_id: int
    project_id: int


def last(tx: Tx, visible: set[int] | None, limit: int) -> list[Happened]:
    """The newest events of tasks of the caller's current organization in the `visible` projects (None: in all), newest
    first, so many at most.
    """
    found = _active(tx, visible, limit)
    streams = {f"task:{task_id}": (task_id, project_id) for task_id, project_id in found}
    told = events.newest(tx, list(streams), limit, without=UNTOLD)
    return [Happened(event, *streams[event.stream]) for event in told]


def _active(tx: Tx, visible: set[int] | None, limit: int) -> list[tuple[int, int]]:
    """Ids and projects of the tasks that were active last."""
    columns = select(Task.id, Task.project_id, Task.updated_at.label("at"))
    here = Task.organization_id == tx.principal.acts_in
    live = columns.where(here, Task.finished_at.is_(None)).order_by(Task.updated_at.desc()).limit(limit)
    if visible is not None:
        live = live.where(Task.project_id.in_(sorted(visible)))
    at = Task.finished_at.label("at")
    ended = select(Task.id, Task.project_id, at).where(Task.finished_at.is_not(None))
    newest = ended.order_by(Task.finished_at.desc()).limit(limit)
    queries: list[Select[*tuple[object, ...]]] = [live]
    queries += [newest.where(here)] if visible is None else parted(newest, visible)
    rows = [row for query in queries for row in tx.execute(query)]
    rows.sort(key=lambda row: (row.at, row.id), reverse=True)
    return [(row.id, row.project_id) for row in rows[:limit]]
