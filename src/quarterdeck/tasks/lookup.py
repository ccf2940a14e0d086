"""The task that somebody means, by what they may do with it."""

from __future__ import annotations

from typing import Literal

from quarterdeck.access import Access
from quarterdeck.access.places import Place
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, NotFound
from quarterdeck.tasks.work.model import Task

ACT_ANY, IN_PROJECT = "tasks:tasks.act-any", "tasks:project.view"


def task_for(tx: Tx, access: Access, task_id: int | None, may: Literal["view", "act"]) -> Task:
    """A task of the current organization. Its owner and administrators may act on it; members of its project see it.

    Raises `NotFound` (`task_not_found`) also for one that the caller may not see, and `Forbidden`.
    """
    principal = tx.principal
    task = None if task_id is None else tx.get(Task, task_id)
    if task is None or task.organization_id != principal.acts_in:
        raise _missing(task_id)
    mine = principal.kind == "user" and principal.id == task.developer_id
    anybodys = access.decide(principal, ACT_ANY).allowed
    place = Place(task.organization_id, task.project_id)
    if not (mine or anybodys or access.decide(principal, IN_PROJECT, place).allowed):
        raise _missing(task_id)
    if may == "act" and not (mine or anybodys):
        raise Forbidden(
            f"Task {task.id} is somebody else's.",
            hint="Ask its owner or an administrator.",
            permission=ACT_ANY,
        )
    return task


def _missing(task_id: int | None) -> NotFound:
    return NotFound(
        f"There is no task {task_id}." if task_id is not None else "There is no such task.",
        code="task_not_found",
        hint="Look at the list of tasks.",
    )
