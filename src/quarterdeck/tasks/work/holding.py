"""A task that nobody else changes until the unit ends.

Locks are taken in one order, the job of the newest attempt and then the task, because the ledger holds a job while it
keeps its reports and ends it.
"""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound
from quarterdeck.tasks.work.model import Task

TRIES = 5


class _MovedError(Exception):
    pass


def held(tx: Tx, task_id: int) -> Task:
    """The task as it stands, with its job. Raises `NotFound` (`task_not_found`)."""
    for _ in range(TRIES):
        # By the session, which has to be there before the savepoint: what is read in one without it is let go with it.
        job_id = tx.session.execute(select(Task.job_id).where(Task.id == task_id)).scalar()
        try:
            with tx.savepoint():
                if job_id is not None and tx.dialect == "postgresql":
                    tx.execute("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE", {"id": job_id})
                task = locked(tx, task_id)
                _require(task is None or task.job_id == job_id)
        except _MovedError:  # it was given to a machine meanwhile: what was locked is let go
            continue
        if task is None:
            raise missing(task_id)
        return task
    raise Conflict(f"Task #{task_id} changes all the time.", code="task_state", hint="Try again.")


def _require(same: bool) -> None:
    if not same:
        raise _MovedError


def locked(tx: Tx, task_id: int) -> Task | None:
    """The task alone, read again: for whoever holds its job, or knows that none is running."""
    return tx.session.get(Task, task_id, with_for_update=tx.dialect == "postgresql" or None, populate_existing=True)


def missing(task_id: int | None) -> NotFound:
    """What is told of a task that is not there, or that the caller may not see."""
    named = f"#{task_id}" if task_id is not None else "of that number"
    return NotFound(f"There is no task {named}.", code="task_not_found", hint="Look at the list of tasks.")
