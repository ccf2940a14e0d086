"""What becomes of a task whose question nobody answered in time (contract: tasks §3.2)."""

from __future__ import annotations

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.work import acting, gates, stages, verdicts
from quarterdeck.tasks.work.gates import Closing
from quarterdeck.tasks.work.model import Gate, Task
from quarterdeck.tasks.work.transitions import FAILED, SUSPENDED, move
from quarterdeck.tasks.work.verdicts import REJECTED

TIMEOUT = "gate_timeout"


def expire(tx: Tx, task: Task, gate: Gate) -> bool:
    """The time of a gate is over: its fallback is taken as somebody's answer would be, so the task goes on with it or
    is cancelled by it; without one that reads the task fails. False where somebody was faster.
    """
    try:
        fallback = _fallback(gate)
    except Invalid:  # of a pipeline that was stored before its fallback was looked at
        fallback = None
    if fallback is None:
        return _fails(tx, task, gate)
    rejected, result = fallback
    if rejected:
        told = f"Nobody answered stage {gate.stage_name} in time: that rejects it."
        if not gates.close(tx, task, gate, Closing(outcome="rejected"), told):
            return False
        acting.end(tx, task, told, REJECTED)
        return True
    told = f"Nobody answered stage {gate.stage_name} in time: it goes on with {result!r}."
    if not gates.close(tx, task, gate, Closing(outcome="answered", result=result), told):
        return False
    gates.go_on(tx, task, gate, result, told)
    return True


def _fallback(gate: Gate) -> tuple[bool, str | None] | None:
    """The answer that is taken; None: there is none. A confirmation is what a confirm gate has without a word."""
    if gate.on_timeout != "fallback":
        return None
    return verdicts.read(gate, gate.fallback, approved=True if gate.fallback is None else None)


def _fails(tx: Tx, task: Task, gate: Gate) -> bool:
    told = f"Nobody answered stage {gate.stage_name} in time."
    if not gates.close(tx, task, gate, Closing(outcome="timeout"), told):
        return False
    stages.end_open(tx, task, "failed", told)
    if task.status == SUSPENDED:
        move(tx, task, FAILED, told, code=TIMEOUT)
        acting.stop_attempt(tx, task, told)
    return True
