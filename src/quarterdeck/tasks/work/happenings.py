"""What happens to a task, as events of its stream (contract: tasks §3.4)."""

from __future__ import annotations

from typing import Any, Literal

from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.work.model import Task

Level = Literal["info", "warn", "error"]
WORDS = frozenset(
    {
        "status_change", "stage_change", "log", "error", "confirm_requested", "confirm_resolved", "assigned",
        "requeued", "worker_disconnected", "worker_reconnected", "workspace_ready", "workspace_removed", "git_push",
        "mr_created", "tunnel", "control_taken", "notify",
    }
)  # fmt: skip
"""Every type of event there is; what of it a worker may note is `orders.NOTES`."""
LONGEST = 4000
STREAM = "task:"
TELL = "tasks:tell"
"""The topic of words to running attempts; a payload is (job id, kind, data)."""


def stream(task_id: int) -> str:
    """The name of a task's events, and of its lines in the log store."""
    return f"{STREAM}{task_id}"


def happened(
    tx: Tx,
    task: Task,
    word: str,
    message: str,
    *,
    level: Level = "info",
    stage: int | None = None,
    stage_name: str | None = None,
    **data: Any,
) -> None:
    """Append one event of a type (`word`). Who acts is named where it is a person; data that is None is left out."""
    if stage is not None and stage_name is None and 0 <= stage < len(task.pipeline):
        stage_name = task.pipeline[stage]["name"]
    told: dict[str, Any] = {
        "level": level,
        "message": message[:LONGEST],
        "stageIndex": stage,
        "stageName": stage_name,
        "actor": tx.principal.label if tx.principal.kind == "user" else None,
        "projectId": task.project_id,
    }
    told |= {name: value for name, value in data.items() if value is not None}
    events.append(tx, stream(task.id), word, told, organization_id=task.organization_id)


def tell(tx: Tx, task: Task, kind: str, data: Any = None) -> None:
    """Wake the running attempt of a task once the unit is durable. It may get lost: the attempt asks by itself, too."""
    if task.job_id is not None:
        tx.publish(TELL, (task.job_id, kind, data))
