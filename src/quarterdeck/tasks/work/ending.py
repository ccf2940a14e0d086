"""What ends tasks of which something bigger goes."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.tasks.work import acting, finishing
from quarterdeck.tasks.work.happenings import happened
from quarterdeck.tasks.work.holding import held
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.transitions import HELD, LIVE, RATE_LIMITED, WAKE


def leave_machine(tx: Tx, worker_id: int) -> int:
    """A machine is decommissioned: what runs there fails, what has not begun or waits goes back into the queue, and
    what was asked for it may go to any other. To be called in that unit. Answers how many tasks it had.
    """
    _unbind(tx, worker_id)
    mine = select(Task.id).where(Task.worker_id == worker_id, Task.finished_at.is_(None), Task.status.in_(HELD))
    left = 0
    for task_id in tx.session.execute(mine.order_by(Task.id)).scalars().all():
        task = held(tx, task_id)
        if task.worker_id != worker_id or task.status not in HELD or task.suspend_reason == RATE_LIMITED:
            continue
        job = look(tx, task.job_id) if task.job_id is not None else None
        left += 1
        if job is not None and jobs.give_up(tx, job.id, finishing.DECOMMISSIONED, finishing.MACHINE_GONE):
            continue
        finishing.requeue(tx, task, finishing.MACHINE_GONE)  # nobody had taken it
        if job is not None and not job.ended:
            jobs.cancel(tx, job.id, finishing.MACHINE_GONE, audited=False)
    return left


def _unbind(tx: Tx, worker_id: int) -> None:
    """Nothing waits for a machine that will never be there."""
    bound = select(Task.id).where(Task.requested_worker_id == worker_id, Task.finished_at.is_(None))
    for task_id in tx.session.execute(bound.order_by(Task.id)).scalars().all():
        task = held(tx, task_id)
        if task.requested_worker_id == worker_id and task.status in LIVE:
            task.requested_worker_id = None
            task.updated_at = tx.now
            told = "The machine that it was asked for was decommissioned: any other may take it."
            happened(tx, task, "log", told, level="warn")
            tx.publish(WAKE)


class EndsTasksOfProjects:
    def end_tasks(self, tx: Tx, project_id: int, reason: str) -> int:
        """Cancel every live task of a project (its row id of workspace), with its job. Answers how many there were."""
        mine = select(Task.id).where(Task.project_id == project_id, Task.finished_at.is_(None), Task.status.in_(LIVE))
        ended = 0
        for task_id in tx.session.execute(mine.order_by(Task.id)).scalars().all():
            task = held(tx, task_id)
            if task.status in LIVE:
                acting.end(tx, task, reason, "cancelled")
                ended += 1
        return ended
