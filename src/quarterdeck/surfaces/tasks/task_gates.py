"""What a task asks people, and their answers."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.shared.values import given
from quarterdeck.surfaces.tasks.shapes import number
from quarterdeck.surfaces.tasks.task_shapes import shown, source
from quarterdeck.surfaces.tasks.tasks import ACT, MISSING, NOT_YOURS, VIEW
from quarterdeck.surfaces.tasks.wire import task_gates as wire
from quarterdeck.surfaces.tasks.wire.task_shapes import Task
from quarterdeck.tasks.work import answering, finding, gates


@route(
    "POST",
    "/api/web/tasks/{id}/confirm-stage",
    permission=ACT,
    errors=(MISSING, NOT_YOURS, (400, "answer_invalid"), (409, "gate_answered"), (409, "gate_not_open")),
)
async def confirm(call: Call, body: wire.StageAnswer, access: Access) -> Task:
    """Answer what a task waits for: confirm, reject, choose, or give a text. The first answer counts."""
    index = given(body.stage_index)
    meant = answering.Answer(
        index=given(body.stage) if index is None else index,
        name=given(body.stage_name),
        result=given(body.result),
        approved=given(body.approved),
        channel=source(call),
    )
    return await call.write(lambda tx: shown(tx, answering.answer(tx, access, number(call.path["id"]), meant)))


@route("GET", "/api/web/tasks/{id}/pending-confirm", permission=VIEW, errors=(MISSING,))
async def pending(call: Call, access: Access) -> wire.PendingConfirm:
    """What a task waits for, if for anything."""

    def verb(tx: Tx) -> wire.PendingConfirm:
        task = finding.find(tx, access, number(call.path["id"]))
        gate = gates.open_gate(tx, task)
        if gate is None:
            return wire.PendingConfirm(pending=False)
        return wire.PendingConfirm(
            pending=True,
            task_id=task.id,
            stage_index=gate.position,
            stage_name=gate.stage_name,
            kind=gate.kind,  # type: ignore[arg-type]  # one of its words
            prompt=gate.prompt,
            choices=list(gate.choices) or None,
            requested_at=wire_time(gate.asked_at),
            expires_at=wire_time(gate.expires_at),
        )

    return await call.read(verb)
