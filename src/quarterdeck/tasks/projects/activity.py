"""What of a project's tasks its row remembers, so that no list counts tasks; and which of them live."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, or_, select, update

from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work.model import Task

NOTED = timedelta(minutes=1)
"""How far apart two notes of activity are at least: tasks of one project do not wait for each other by it."""


def made(tx: Tx, project_id: int) -> None:
    """A task was made in a project (its row id of workspace): in the unit that makes it."""
    known = TaskProject.project_id == project_id
    values = {"task_count": TaskProject.task_count + 1, "last_activity_at": tx.now}
    tx.execute(update(TaskProject).where(known).values(values))


def forgotten(tx: Tx, project_id: int) -> None:
    """A task of a project was removed for good."""
    known = (TaskProject.project_id == project_id, TaskProject.task_count > 0)
    tx.execute(update(TaskProject).where(*known).values(task_count=TaskProject.task_count - 1))


def touched(tx: Tx, project_id: int) -> None:
    """Something happened to a task of a project: in the unit of each change of its state."""
    stale = or_(TaskProject.last_activity_at.is_(None), TaskProject.last_activity_at < tx.now - NOTED)
    known = TaskProject.project_id == project_id
    tx.execute(update(TaskProject).where(known, stale).values(last_activity_at=tx.now))


def active(tx: Tx, project_id: int) -> bool:
    """Whether a project takes tasks: it has a part for them."""
    return tx.execute(select(TaskProject.project_id).where(TaskProject.project_id == project_id)).first() is not None


def live(tx: Tx, organization_id: int, project_id: int) -> int:
    """How many tasks of a project have not ended."""
    here = (Task.organization_id == organization_id, Task.project_id == project_id, Task.finished_at.is_(None))
    return int(tx.execute(select(func.count()).select_from(Task).where(*here)).scalar_one())
