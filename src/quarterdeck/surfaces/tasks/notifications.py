"""What the caller was told, and what they want to be told."""

from __future__ import annotations

from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.notify import choices, inbox
from quarterdeck.notify.choices import Choices
from quarterdeck.notify.door import Door
from quarterdeck.notify.model import Notification
from quarterdeck.surfaces.shared.values import given
from quarterdeck.surfaces.tasks.shapes import at, cut, number, position
from quarterdeck.surfaces.tasks.wire import notifications as wire

OWN = "tasks:profile.own"


def _item(tx: Tx, row: Notification) -> wire.Notification:
    return wire.Notification(
        id=row.id,
        type=row.type,
        title=row.title,
        body=row.body,
        task_id=row.task_id,
        project_key=row.project_key,
        link=tx.part(Door).link(row.link),
        repeats=row.repeats,
        is_read=row.read_at is not None,
        read_at=at(row.read_at),
        created_at=wire_time(row.created_at),
    )


def _chosen(found: Choices) -> wire.Choices:
    return wire.Choices(muted=list(found.muted), email=list(found.email), types=list(choices.TYPES))


@route("GET", "/api/web/notifications", permission=OWN)
async def index(call: Call, query: wire.NotificationsQuery) -> wire.Notifications:
    """What the caller was told and has not read, newest first; with `all=true` what they have read, too."""

    def verb(tx: Tx) -> wire.Notifications:
        found = inbox.page(tx, read_too=query.read_too, before=position(query), limit=query.limit + 1)
        rows, cursor = cut(found.rows, lambda row: row.id, query)
        items = [_item(tx, row) for row in rows]
        return wire.Notifications(items=items, next_cursor=cursor, total=found.total, unread_count=found.unread)

    return await call.read(verb)


@route(
    "POST",
    "/api/web/notifications/{id}/read",
    permission=OWN,
    errors=((404, "notification_not_found"),),
)
async def read(call: Call) -> wire.Notification:
    """Have read one; once more is a success."""
    return await call.write(lambda tx: _item(tx, inbox.read(tx, number(call.path["id"]))))


@route("POST", "/api/web/notifications/read-all", permission=OWN)
async def read_all(call: Call) -> wire.Count:
    """Have read everything. Answers how many were not read before."""
    return wire.Count(count=await call.write(inbox.read_all))


@route("GET", "/api/web/notifications/preferences", permission=OWN)
async def preferences(call: Call) -> wire.Choices:
    """What the caller wants to be told, and by mail."""
    return _chosen(await call.read(choices.mine))


@route(
    "PUT",
    "/api/web/notifications/preferences",
    permission=OWN,
    whole=True,
    errors=((400, "notification_type_unknown"), (403, "token_narrowed")),
)
async def prefer(call: Call, body: wire.ChoicesChange) -> wire.Choices:
    """Choose what to be told; a list that is left out stays."""
    muted, email = given(body.muted), given(body.email)
    return _chosen(await call.write(choices.choose, muted, email))
