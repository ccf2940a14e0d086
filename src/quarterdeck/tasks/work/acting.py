"""What a person does to a task: cancel it, or try it once more."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.tasks.actions import TasksAction
from quarterdeck.tasks.projects.activity import active
from quarterdeck.tasks.work import gates, stages
from quarterdeck.tasks.work.creating import machine
from quarterdeck.tasks.work.finding import find, require_canceller, require_owner
from quarterdeck.tasks.work.holding import held
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.transitions import CANCELLED, FAILED, LIVE, QUEUED, move
from quarterdeck.tasks.work.usage import spent


def cancel(tx: Tx, access: Access, task_id: int | None) -> Task:
    """End a task in any live state; what runs is told to stop. Raises `NotFound`, `Forbidden` (`task_not_yours`) and
    `Conflict` (`task_not_cancellable`).
    """
    found = find(tx, access, task_id)
    require_canceller(tx, access, found)
    task = held(tx, found.id)
    if task.status not in LIVE:
        raise Conflict(
            f"Task #{task.id} is {task.status} already and cannot be cancelled.",
            code="task_not_cancellable",
            hint="Nothing runs any more.",
        )
    before = task.status
    end(tx, task, f"Cancelled by {tx.principal.label}.", "cancelled")
    audit.record(tx, TasksAction.CANCELLED, resource_type="task", resource_id=str(task.id), detail={"from": before})
    return task


def end(tx: Tx, task: Task, message: str, code: str) -> None:
    """Cancel a task that the unit holds, close its gate, and have its attempt stopped."""
    move(tx, task, CANCELLED, message, code=code)
    gates.close_open(tx, task)
    stages.end_open(tx, task, "cancelled", message)
    stop_attempt(tx, task, message)


def stop_attempt(tx: Tx, task: Task, message: str) -> None:
    """Have the newest attempt of a task stopped, where it has not ended; `silence` ends it if its machine is gone."""
    job = look(tx, task.job_id) if task.job_id is not None else None
    if job is not None and not job.ended:
        jobs.cancel(tx, job.id, message, audited=False)
    committing(tx, "task.cancel")


def retry(
    tx: Tx, access: Access, task_id: int | None, *, from_stage: int | None = None, machine_uid: str | None = None
) -> Task:
    """Queue a failed task once more, from a stage on (default: the first). Its worktree and the session of its agent
    are gone on with where the machine still has them. Raises `NotFound`, `Forbidden`, `Invalid` (a stage that there is
    not) and `Conflict` (`task_not_retryable`, `budget_spent`, `task_project_gone`, `worker_decommissioned`).
    """
    found = find(tx, access, task_id)
    require_owner(tx, access, found, "retry")
    task = held(tx, found.id)
    if task.status != FAILED:
        raise Conflict(
            f"Task #{task.id} is {task.status}; only a failed one can be tried again.",
            code="task_not_retryable",
            hint="Create a new task for something else." if task.status not in LIVE else "Wait for its end.",
        )
    if spent(task):
        raise Conflict(
            f"Task #{task.id} has cost ${task.cost_usd:.2f} of its budget of ${task.budget_usd:.2f}.",
            code="budget_spent",
            hint=f"Give it a larger one first, as with: qd task budget {task.id} AMOUNT",
        )
    if not active(tx, task.project_id):
        raise Conflict(
            f"The project of task #{task.id} takes no tasks any more, so it cannot be tried again.",
            code="task_project_gone",
            hint="Let an administrator add the project again, then retry.",
        )
    stage = from_stage or 0
    if not 0 <= stage < len(task.pipeline):
        raise Invalid(
            f"fromStage is 0 to {len(task.pipeline) - 1} for task #{task.id}.",
            code="stage_unknown",
            hint="Stages are numbered from 0.",
            field="fromStage",
        )
    worker = machine(tx, machine_uid)
    if worker is not None or _is_gone(tx, task.requested_worker_id):
        task.requested_worker_id = worker.id if worker is not None else None
    again(tx, task, stage, f"Retried by {tx.principal.label}, from stage {task.pipeline[stage]['name']}.")
    audit.record(
        tx,
        TasksAction.RETRIED,
        resource_type="task",
        resource_id=str(task.id),
        detail={"attempt": task.attempt, "fromStage": stage, "machine": worker.uid if worker is not None else None},
    )
    return task


def _is_gone(tx: Tx, worker_id: int | None) -> bool:
    """Whether the machine that was asked for is decommissioned: the next attempt may go to any other."""
    worker = tx.get(Worker, worker_id) if worker_id is not None else None
    return worker is not None and worker.revoked_at is not None


def again(tx: Tx, task: Task, stage: int, message: str) -> None:
    """Queue another attempt of a task that the unit holds, from a stage on."""
    task.from_stage, task.current_stage = stage, None
    task.attempt += 1
    stages.again(tx, task, stage)
    move(tx, task, QUEUED, message)
    committing(tx, "task.again")
