"""A person's answer to a gate: from the web, the command line or chat (contract: tasks §0, §1.2, §3.3)."""

from __future__ import annotations

from msgspec import Struct

from quarterdeck.access import Access
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.tasks.actions import TasksAction
from quarterdeck.tasks.work import acting, gates, verdicts
from quarterdeck.tasks.work.finding import find, require_answerer
from quarterdeck.tasks.work.gates import Closing
from quarterdeck.tasks.work.holding import held
from quarterdeck.tasks.work.model import Gate, Task
from quarterdeck.tasks.work.transitions import STAGE_GATE, SUSPENDED
from quarterdeck.tasks.work.verdicts import REJECTED


class Answer(Struct, frozen=True, kw_only=True):
    """`index` or `name` say which stage is meant, neither: the one that waits. `approved` False rejects whatever the
    question is.
    """

    index: int | None = None
    name: str | None = None
    result: str | None = None
    approved: bool | None = None
    channel: str = "web"


def answer(tx: Tx, access: Access, task_id: int | None, given: Answer) -> Task:
    """Answer the gate that a task waits at; the first answer wins. A rejection cancels the task.

    Raises `NotFound`, `Forbidden` (`task_not_yours`), `Invalid` (`answer_invalid`) and `Conflict`: `gate_answered`
    says who was faster, `gate_not_open` that the task waits for no answer, or for that of another stage.
    """
    found = find(tx, access, task_id)
    require_answerer(tx, access, found, "answer")
    task = held(tx, found.id)
    gate = _meant(tx, task, given)
    rejected, result = verdicts.read(gate, given.result, approved=given.approved)
    word = "rejected" if rejected else "answered"
    closing = Closing(outcome=word, result=result, by=tx.principal.id, channel=given.channel)
    said = f"{tx.principal.label} {'rejected' if rejected else 'answered'} stage {gate.stage_name}" + (
        f": {result[:200]}" if result and not rejected else "."
    )
    if not gates.close(tx, task, gate, closing, said):
        raise _answered(tx, task, gate)
    if rejected:
        acting.end(tx, task, said, REJECTED)
    else:
        gates.go_on(tx, task, gate, result, said)
    audit.record(
        tx,
        TasksAction.ANSWERED,
        resource_type="task",
        resource_id=str(task.id),
        detail={"stage": gate.stage_name, "kind": gate.kind, "outcome": word, "channel": given.channel},
    )
    return task


def _meant(tx: Tx, task: Task, given: Answer) -> Gate:
    """The open gate, if it is the one that is meant."""
    gate = gates.newest(tx, task)
    waits = task.status == SUSPENDED and gate is not None and gate.closed_at is None
    if gate is None or not _names(gate, given):
        if waits and gate is not None:
            raise Conflict(
                f"Task #{task.id} waits for an answer to stage {gate.stage_name} ({gate.position}), not to that one.",
                code="gate_not_open",
                hint="Look at what it waits for, then answer that.",
            )
        position = _position(task, given)
        earlier = gates.newest(tx, task, position) if position is not None else None
        if earlier is not None and earlier.outcome is not None:
            raise _answered(tx, task, earlier)
        raise _nothing(task)
    if gate.closed_at is not None:
        raise _answered(tx, task, gate) if gate.outcome is not None else _nothing(task)
    if not waits:
        raise _nothing(task)
    return gate


def _position(task: Task, given: Answer) -> int | None:
    """Which stage is meant, where one is."""
    if given.index is not None or given.name is None:
        return given.index
    return next((index for index, stage in enumerate(task.pipeline) if stage["name"] == given.name), None)


def _names(gate: Gate, given: Answer) -> bool:
    return (given.index is None or given.index == gate.position) and (
        given.name is None or given.name == gate.stage_name
    )


def _nothing(task: Task) -> Conflict:
    because = f" ({task.suspend_reason})" if task.suspend_reason not in {None, STAGE_GATE} else ""
    return Conflict(
        f"Task #{task.id} is {task.status}{because} and waits for no answer.",
        code="gate_not_open",
        hint="Read the task again.",
    )


def _answered(tx: Tx, task: Task, gate: Gate) -> Conflict:
    who = gates.answerer(tx, gate)
    in_time = gate.closed_at is not None and gate.closed_at < gate.expires_at
    by = "dealt with at the terminal" if in_time else "closed because its time was over"
    by = by if who is None else f"{gate.outcome} by {who}"
    with_result = f": {gate.result[:200]}" if gate.result and who is not None else ""
    return Conflict(
        f"Stage {gate.stage_name} of task #{task.id} was {by} already{with_result}.",
        code="gate_answered",
        hint="The first answer counts.",
        answeredBy=who,
        result=gate.result,
    )
