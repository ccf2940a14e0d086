"""Tasks with the names of what they are about, for lists and pages: a few questions, however many tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work.model import StageRun, Task


@dataclass(frozen=True, slots=True)
class Described:
    """A task with its stages in order. `machine` is the one that it is or was on, `requested` the one asked for;
    `project_key` is None once its project is gone.
    """

    task: Task
    project_key: str | None
    developer: str | None
    machine: Worker | None
    requested: Worker | None
    stages: tuple[StageRun, ...]


def described(tx: Tx, tasks: Sequence[Task]) -> list[Described]:
    """The same tasks, in the same order."""
    stages: dict[int, list[StageRun]] = {}
    ids = [task.id for task in tasks]
    for row in tx.scalars(select(StageRun).where(StageRun.task_id.in_(ids)).order_by(StageRun.position)):
        stages.setdefault(row.task_id, []).append(row)
    projects = {task.project_id for task in tasks}
    found = tx.scalars(select(TaskProject).where(TaskProject.project_id.in_(projects)))
    keys = {row.project_id: row.key for row in found}
    developers = {task.developer_id for task in tasks}
    names = {row.id: row.username for row in tx.scalars(select(User).where(User.id.in_(developers)))}
    workers = _workers(tx, (one for task in tasks for one in (task.worker_id, task.requested_worker_id)))
    return [
        Described(
            task=task,
            project_key=keys.get(task.project_id),
            developer=names.get(task.developer_id),
            machine=workers.get(task.worker_id or 0),
            requested=workers.get(task.requested_worker_id or 0),
            stages=tuple(stages.get(task.id, ())),
        )
        for task in tasks
    ]


def find_machine(tx: Tx, uid: str) -> Worker | None:
    """A machine of the caller's organization, None where there is none: a filter by it finds nothing."""
    here = (Worker.organization_id == tx.principal.acts_in, Worker.uid == uid)
    return tx.first(select(Worker).where(*here))


def _workers(tx: Tx, ids: Iterable[int | None]) -> dict[int, Worker]:
    wanted = {one for one in ids if one is not None}
    return {row.id: row for row in tx.scalars(select(Worker).where(Worker.id.in_(wanted)))} if wanted else {}
