"""What ends the live tasks of a project that is deleted by force."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import select

from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.work.model import Task

CANCELLED = "cancelled"


class EndsTasks(Protocol):
    """Asked once, in the unit in which the project is deleted."""

    def end_tasks(self, tx: Tx, project_id: int, reason: str) -> int:
        """Cancel every live task of a project (its row id of workspace), with its job. Answers how many there were."""
        ...


class CancelsTasks:
    """An `EndsTasks`: each task is cancelled where it stands, and whoever works on it is told by the ledger."""

    def end_tasks(self, tx: Tx, project_id: int, reason: str) -> int:
        query = select(Task).where(Task.project_id == project_id, Task.finished_at.is_(None)).order_by(Task.id)
        living = tx.hold(tx.scalars(query))
        for task in living:
            task.status, task.error_code, task.error_message = CANCELLED, CANCELLED, reason
            task.suspend_reason = task.suspended_at = task.queued_reason = None
            task.finished_at = task.updated_at = tx.now
            told = {"message": reason, "to": CANCELLED, "projectId": project_id}
            events.append(tx, f"task:{task.id}", "status_change", told, organization_id=task.organization_id)
            if task.job_id is not None and not jobs.get(tx, task.job_id).ended:
                jobs.cancel(tx, task.job_id, reason, audited=False)
        return len(living)
