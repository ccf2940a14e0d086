"""What people say to a task while it lives."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.tasks.shapes import at, cut, number, position
from quarterdeck.surfaces.tasks.tasks import ACT, MISSING, NOT_YOURS, VIEW
from quarterdeck.surfaces.tasks.wire import task_events as wire
from quarterdeck.surfaces.tasks.wire.lists import Paging
from quarterdeck.tasks.work import messages
from quarterdeck.tasks.work.model import FollowUpMessage


def shape(tx: Tx, row: FollowUpMessage) -> wire.Message:
    return wire.Message(
        id=row.id,
        task_id=row.task_id,
        text=row.text,
        author_id=row.author_id,
        author=messages.author(tx, row.author_id),
        created_at=wire_time(row.created_at),
        delivered_at=at(row.delivered_at),
    )


@route("GET", "/api/web/tasks/{id}/messages", permission=VIEW, errors=(MISSING,))
async def listed(call: Call, query: Paging, access: Access) -> wire.Messages:
    """What people said to a task, newest first."""

    def verb(tx: Tx) -> wire.Messages:
        task_id = number(call.path["id"])
        found, total = messages.listed(tx, access, task_id, position(query), query.limit + 1)
        page, cursor = cut(found, lambda row: row.id, query)
        return wire.Messages(items=[shape(tx, row) for row in page], next_cursor=cursor, total=total)

    return await call.read(verb)


@route(
    "POST",
    "/api/web/tasks/{id}/messages",
    permission=ACT,
    status=201,
    errors=(MISSING, NOT_YOURS, (400, "validation_error"), (409, "task_ended"), (409, "task_delivering")),
)
async def send(call: Call, body: wire.MessageCreate, access: Access) -> wire.Message:
    """Say something more to a task; its agent is given it as soon as it listens."""
    return await call.write(lambda tx: shape(tx, messages.send(tx, access, number(call.path["id"]), body.text)))
