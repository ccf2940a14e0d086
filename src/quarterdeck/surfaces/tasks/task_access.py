"""Who may look at a task, and who may act on it, as its terminal asks."""

from __future__ import annotations

from typing import Literal

from quarterdeck.access import Access
from quarterdeck.access.places import Place
from quarterdeck.fleet.workers import enrolment
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, NotFound
from quarterdeck.tasks.work.model import Task

Need = Literal["view", "act"]


def task_for(tx: Tx, access: Access, task_id: int | None, need: Need) -> Task:
    """The task, where the caller may do this with it (contract: tasks §2.4): everybody of the project looks, its owner
    and who may act on anybody's act. Raises `NotFound`, also for a task that the caller may not see, and `Forbidden`.
    """
    access.load(tx)
    caller = tx.principal
    task = tx.get(Task, task_id) if task_id is not None else None
    if task is None or caller.kind != "user" or task.organization_id != caller.organization_id:
        raise _missing(task_id)
    place = Place(task.organization_id, task.project_id)
    if not access.decide(caller, "tasks:tasks.view", place).allowed:
        raise _missing(task_id)
    if need == "act":
        own = caller.id in {task.developer_id, task.created_by}
        permission = "tasks:tasks.act" if own else "tasks:tasks.act-any"
        decision = access.decide(caller, permission, place)
        if not decision.allowed:
            raise Forbidden(decision.reason, code="task_not_yours", hint=decision.remedy or None)
    return task


def authenticate_worker(tx: Tx, token: str) -> Worker | None:
    """The worker behind a token that still holds."""
    worker = enrolment.authenticate(tx, token)
    return None if worker is None or worker.revoked_at is not None else worker


def _missing(task_id: int | None) -> NotFound:
    return NotFound(f"There is no task {task_id}.", code="task_not_found", hint="List the tasks that you may see.")
