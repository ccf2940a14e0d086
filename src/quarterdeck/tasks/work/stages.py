"""How the stages of a task stand, and the only way between their states (contract: tasks §3.2)."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.orders import StageReport
from quarterdeck.tasks.work.happenings import Level, happened
from quarterdeck.tasks.work.model import StageRun, Task

PENDING, WAITING, RUNNING = "pending", "waiting", "running"
OPEN = (WAITING, RUNNING)
OVER = ("completed", "failed", "skipped", "cancelled")
MOVES: dict[str, frozenset[str]] = {
    PENDING: frozenset({*OPEN, *OVER}),
    WAITING: frozenset({PENDING, RUNNING, *OVER}),
    RUNNING: frozenset({PENDING, WAITING, *OVER}),
    "completed": frozenset({PENDING}),
    # It is tried again; or its machine had completed it, and could not say so in time.
    "failed": frozenset({PENDING, WAITING, RUNNING, "completed"}),
    "skipped": frozenset({PENDING}),
    "cancelled": frozenset({PENDING}),
}
"""The only ways between the states of a stage."""
WORDS = {
    PENDING: "is still to be done", WAITING: "waits for an answer", RUNNING: "began", "completed": "is done",
    "failed": "failed", "skipped": "is skipped", "cancelled": "is cancelled",
}  # fmt: skip


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


def move(
    tx: Tx,
    task: Task,
    stage: StageRun,
    status: str,
    message: str | None = None,
    *,
    number: int | None = None,
    error: str | None = None,
) -> bool:
    """Assign a state with its event; `number` is the try of the stage. Staying changes nothing, unless it is another
    try, and neither does a way that leads nowhere: what a worker says may come late. Answers whether it was assigned.
    """
    if (stage.status, stage.attempt) == (status, stage.attempt if number is None else number):
        return False
    if status not in MOVES[stage.status] and not stage.status == status == RUNNING:
        return False
    stage.status = status
    stage.attempt = stage.attempt if number is None else number
    if status == PENDING:
        stage.started_at = stage.finished_at = stage.result = stage.error = None
    elif status in OVER:
        stage.started_at = stage.started_at or (tx.now if status != "skipped" else None)
        stage.finished_at, stage.error = tx.now, error
    elif status == RUNNING:
        stage.started_at = stage.started_at or tx.now
        stage.finished_at = stage.error = None
    if status in OPEN:
        task.current_stage = stage.position
    task.updated_at = tx.now
    level: Level = "error" if status == "failed" else "warn" if status == "cancelled" else "info"
    happened(
        tx, task, "stage_change", message or f"Stage {stage.name} {WORDS.get(status, status)}.", level=level,
        stage=stage.position, status=status, attempt=stage.attempt, error=error,
    )  # fmt: skip
    return True


def report(tx: Tx, task: Task, told: StageReport) -> None:
    """Keep that a stage began or ended. A repeated report changes nothing."""
    move(tx, task, row(tx, task, told.index), told.status, told.message, number=told.number, error=told.error)


def waits(tx: Tx, task: Task, position: int) -> None:
    """A person is asked something before or in a stage."""
    move(tx, task, row(tx, task, position), WAITING)


def goes_on(tx: Tx, task: Task, position: int, result: str | None) -> None:
    """The question of a stage was answered: before it began, it is about to."""
    stage = row(tx, task, position)
    if stage.status == WAITING:
        begun = stage.started_at is not None
        move(tx, task, stage, RUNNING if begun else PENDING, f"Stage {stage.name} goes on with its answer.")
    stage.result = result


def end_open(tx: Tx, task: Task, status: str, why: str) -> None:
    """What runs or waits ends with its task."""
    for stage in rows(tx, task):
        if stage.status in OPEN:
            move(tx, task, stage, status, error=why)


def again(tx: Tx, task: Task, position: int) -> None:
    """Another attempt begins at a stage: it and what comes after it are still to be done."""
    for stage in rows(tx, task):
        if stage.position >= position:
            move(tx, task, stage, PENDING)


def restored(tx: Tx, task: Task, why: str) -> None:
    """The machine had completed what was given up for `why`: so were the stages that ended by that, or never began."""
    for stage in rows(tx, task):
        if stage.status in (PENDING, *OPEN) or (stage.status == "failed" and stage.error == why):
            move(tx, task, stage, "completed")
