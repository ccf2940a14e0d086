"""Questions to people, and the one answer that counts.

However many answer one gate at the same time, and whether its time runs out meanwhile: one closes it, by a write that
only an open gate takes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import select, update

from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.faults import committing
from quarterdeck.tasks.orders import GateAnswer, GateReport, StageReport
from quarterdeck.tasks.work import stages
from quarterdeck.tasks.work.happenings import Level, happened, tell
from quarterdeck.tasks.work.model import Gate, Task
from quarterdeck.tasks.work.transitions import RUNNING, STAGE_GATE, SUSPENDED, move


class Closing(Struct, frozen=True, kw_only=True):
    """How a gate ends: `outcome` is a state of `GateAnswer`, None where its stage or its task ended
    first.
    """

    outcome: str | None
    result: str | None = None
    by: int | None = None
    channel: str | None = None


def open_gate(tx: Tx, task: Task) -> Gate | None:
    """The question that waits for an answer."""
    return tx.first(select(Gate).where(Gate.task_id == task.id, Gate.closed_at.is_(None)))


def newest(tx: Tx, task: Task, position: int | None = None) -> Gate | None:
    """The last question of a task, or of one of its stages, open or not."""
    query = select(Gate).where(Gate.task_id == task.id)
    if position is not None:
        query = query.where(Gate.position == position)
    return tx.first(query.order_by(Gate.id.desc()).limit(1).execution_options(populate_existing=True))


def ask(tx: Tx, task: Task, told: GateReport) -> GateAnswer:
    """Put a question that an attempt reports; one that is open already is the same question."""
    found = open_gate(tx, task)
    if found is not None and (found.attempt, found.position) == (task.attempt, told.index):
        return state(tx, found)
    if found is not None:
        _close(tx, found, Closing(outcome=None))
    if task.status != RUNNING:
        move(tx, task, RUNNING, f"Task #{task.id} runs.")
    stages.waits(tx, task, told.index)
    name = stages.row(tx, task, told.index).name
    gate = tx.add(
        Gate(
            uid=tx.ids.uid(),
            task_id=task.id,
            organization_id=task.organization_id,
            attempt=task.attempt,
            position=told.index,
            stage_name=name,
            kind=told.kind,
            prompt=told.prompt,
            choices=list(told.choices),
            on_timeout=told.on_timeout,
            fallback=told.fallback,
            asked_at=tx.now,
            expires_at=tx.now + timedelta(seconds=max(told.seconds, 1)),
        )
    )
    move(tx, task, SUSPENDED, f"Stage {name} waits for an answer.", reason=STAGE_GATE)
    happened(
        tx,
        task,
        "confirm_requested",
        told.prompt,
        stage=told.index,
        kind=told.kind,
        choices=list(told.choices) or None,
        gateId=gate.id,
        expiresAt=gate.expires_at.isoformat(),
    )
    return GateAnswer(state="open")


def check(tx: Tx, task: Task, told: GateReport) -> GateAnswer:
    """How the question of a stage stands, for the attempt that put it; put it where it is not known."""
    found = newest(tx, task, told.index)
    if found is None or found.attempt != task.attempt:
        return ask(tx, task, told)
    return state(tx, found)


def state(tx: Tx, gate: Gate) -> GateAnswer:
    if gate.closed_at is None:
        return GateAnswer(state="open")
    outcome: Any = gate.outcome or "timeout"
    return GateAnswer(state=outcome, result=gate.result, by=answerer(tx, gate))


def answerer(tx: Tx, gate: Gate) -> str | None:
    """The name of who answered."""
    user = tx.get(User, gate.answered_by) if gate.answered_by is not None else None
    return user.username if user is not None else None


def close(tx: Tx, task: Task, gate: Gate, closing: Closing, message: str) -> bool:
    """Close a gate of a task that the unit holds, tell it and wake the attempt. False where it was closed before."""
    if not _close(tx, gate, closing):
        return False
    level: Level = "info" if closing.outcome == "answered" else "warn"
    told: dict[str, Any] = {
        "outcome": closing.outcome,
        "result": closing.result,
        "channel": closing.channel,
        "gateId": gate.id,
    }
    committing(tx, "task.gate.close")
    happened(tx, task, "confirm_resolved", message, level=level, stage=gate.position, **told)
    tell(tx, task, "gate", {"index": gate.position, "state": closing.outcome, "result": closing.result})
    return True


def go_on(tx: Tx, task: Task, gate: Gate, result: str | None, message: str) -> None:
    """The task runs again, with the answer to its question."""
    stages.goes_on(tx, task, gate.position, result)
    if task.status == SUSPENDED:
        move(tx, task, RUNNING, message)


def left(tx: Tx, task: Task, told: StageReport) -> None:
    """The attempt tells of a stage while a question is open. That its stage runs means that somebody dealt with it at
    the terminal. Anything else is the end of it, such as that of its agent, and no answer: nobody is asked any more.
    """
    found = open_gate(tx, task)
    if found is None:
        return
    if told.status == "running" and told.index == found.position:
        message = told.message or "The question was dealt with at the terminal."
        if close(tx, task, found, Closing(outcome="answered"), message):
            go_on(tx, task, found, None, message)
        return
    message = f"Stage {found.stage_name} waits no more: its question was left without an answer."
    if close(tx, task, found, Closing(outcome=None), message) and task.status == SUSPENDED:
        move(tx, task, RUNNING, message)


def close_open(tx: Tx, task: Task) -> None:
    """No question outlives its task."""
    found = open_gate(tx, task)
    if found is not None:
        _close(tx, found, Closing(outcome=None))


def _close(tx: Tx, gate: Gate, closing: Closing) -> bool:
    tx.flush()
    done = tx.session.execute(
        update(Gate)
        .where(Gate.id == gate.id, Gate.closed_at.is_(None))
        .values(
            closed_at=tx.now,
            outcome=closing.outcome,
            result=closing.result,
            answered_by=closing.by,
            channel=closing.channel,
        )
        .execution_options(synchronize_session="fetch")
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]
