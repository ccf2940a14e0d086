"""How the stages of a task stand."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.orders import StageReport
from quarterdeck.tasks.work.happenings import happened
from quarterdeck.tasks.work.model import StageRun, Task

OPEN = ("waiting", "running")
OVER = ("completed", "failed", "skipped", "cancelled")


def rows(tx: Tx, task: Task) -> list[StageRun]:
    """The stages of a task, in order."""
    return list(tx.scalars(select(StageRun).where(StageRun.task_id == task.id).order_by(StageRun.position)))


def row(tx: Tx, task: Task, position: int) -> StageRun:
    """One stage. Raises `Invalid` (`stage_unknown`) for a number that is none."""
    query = select(StageRun).where(StageRun.task_id == task.id, StageRun.position == position)
    found = tx.first(query)
    if found is None:
        raise Invalid(f"Task #{task.id} has no stage {position}.", code="stage_unknown")
    return found


def report(tx: Tx, task: Task, told: StageReport) -> None:
    """Keep that a stage began or ended. A repeated report changes nothing."""
    stage = row(tx, task, told.index)
    if (stage.status, stage.attempt) == (told.status, told.number):
        return
    stage.status, stage.attempt = told.status, told.number
    if told.status == "running":
        stage.started_at = stage.started_at or tx.now
        stage.finished_at = stage.error = None
        task.current_stage = told.index
    else:
        stage.started_at = stage.started_at or (tx.now if told.status != "skipped" else None)
        stage.finished_at = tx.now
        stage.error = told.error
    task.updated_at = tx.now
    words = {"running": "began", "completed": "is done"}.get(told.status, told.status)
    happened(
        tx,
        task,
        "stage_change",
        told.message or f"Stage {stage.name} {words}.",
        level="error" if told.status == "failed" else "info",
        stage=told.index,
        status=told.status,
        attempt=told.number,
        error=told.error,
    )


def waits(tx: Tx, task: Task, position: int) -> None:
    """A person is asked something before or in a stage."""
    stage = row(tx, task, position)
    stage.status = "waiting"
    task.current_stage = position


def goes_on(tx: Tx, task: Task, position: int, result: str | None) -> None:
    """The question of a stage was answered."""
    stage = row(tx, task, position)
    stage.status, stage.result = ("running" if stage.started_at is not None else "pending"), result


def end_open(tx: Tx, task: Task, status: str, why: str) -> None:
    """What runs or waits ends with its task."""
    for stage in rows(tx, task):
        if stage.status in OPEN:
            stage.status, stage.finished_at, stage.error = status, tx.now, why
            happened(
                tx, task, "stage_change", f"Stage {stage.name} {status}.", level="warn", stage=stage.position,
                status=status,
            )  # fmt: skip
