"""The states of a task and the only way between them (contract: tasks §3.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.tasks.projects import activity
from quarterdeck.tasks.work.happenings import Level, happened
from quarterdeck.tasks.work.model import Task

QUEUED, ASSIGNED, RUNNING, SUSPENDED = "queued", "assigned", "running", "suspended"
COMPLETED, FAILED, CANCELLED = "completed", "failed", "cancelled"
LIVE = (QUEUED, ASSIGNED, RUNNING, SUSPENDED)
HELD = (ASSIGNED, RUNNING, SUSPENDED)
"""An attempt is on a machine."""
ENDED = (COMPLETED, FAILED, CANCELLED)
STATES = (*LIVE, *ENDED)

STAGE_GATE, DISCONNECTED, RATE_LIMITED = "stage_gate", "worker_disconnected", "rate_limited"
"""Why a task is suspended."""
WAKE = "tasks"
"""The topic that says: a task may be given to a machine, or a machine may have become free."""

MOVES: dict[str, frozenset[str]] = {
    QUEUED: frozenset({ASSIGNED, CANCELLED}),
    # `failed`: the worktree or the agent could not be had, and no stage began.
    ASSIGNED: frozenset({QUEUED, RUNNING, FAILED, CANCELLED}),
    RUNNING: frozenset({COMPLETED, FAILED, SUSPENDED, CANCELLED}),
    SUSPENDED: frozenset({RUNNING, COMPLETED, FAILED, QUEUED, CANCELLED}),
    COMPLETED: frozenset(),
    FAILED: frozenset({QUEUED, COMPLETED}),
    CANCELLED: frozenset(),
}


def move(
    tx: Tx,
    task: Task,
    status: str,
    message: str,
    *,
    reason: str | None = None,
    code: str | None = None,
    seconds: float | None = None,
) -> None:
    """Assign a new status with its event. Raises `Conflict` (`task_state`) where no way leads there.

    `reason` is why a task is suspended, and `seconds` after how many it goes on by itself; `code` is what it failed or
    was cancelled for, and `message` then stands beside it.
    """
    before = task.status
    if status not in MOVES[before]:
        raise Conflict(
            f"Task #{task.id} is {before} and cannot become {status}.",
            code="task_state",
            hint="Read the task again; its state may have changed meanwhile.",
        )
    task.status = status
    task.updated_at = tx.now
    task.suspend_reason = reason if status == SUSPENDED else None
    task.suspended_at = tx.now if status == SUSPENDED else None
    task.resume_at = tx.now + timedelta(seconds=seconds) if seconds is not None else None
    if status != QUEUED:
        task.queued_reason = None
    if status == QUEUED:
        task.messages_until = None
        task.worker_id = task.assigned_at = task.started_at = task.finished_at = None
        task.error_code = task.error_message = None
    elif status == ASSIGNED:
        task.assigned_at = tx.now
    elif status == RUNNING:
        task.started_at = task.started_at or tx.now
    elif status in ENDED:
        task.finished_at = tx.now
        task.error_code = code
        task.error_message = message if code is not None else None
    tx.flush()
    activity.touched(tx, task.project_id)
    level: Level = "error" if status == FAILED else "warn" if status == CANCELLED else "info"
    told: dict[str, Any] = {"from": before, "to": status, "reason": reason, "errorCode": code, "attempt": task.attempt}
    happened(tx, task, "status_change", message, level=level, **told)
    if status == QUEUED or status in ENDED:
        tx.publish(WAKE)
