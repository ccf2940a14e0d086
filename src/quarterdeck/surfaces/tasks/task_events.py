"""What happened to a task, and what its terminal and its worker said."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.access import Access
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.events import Event
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.logs import Line, Logs
from quarterdeck.surfaces.tasks.shapes import number
from quarterdeck.surfaces.tasks.tasks import MISSING, VIEW
from quarterdeck.surfaces.tasks.wire import task_events as wire
from quarterdeck.tasks.work import finding, history
from quarterdeck.tasks.work.happenings import stream

OWN = ("level", "message", "stageIndex", "stageName", "actor", "projectId")
"""What of an event has a field of its own, or is nobody's business outside."""


def item(task_id: int, event: Event) -> wire.TaskEvent:
    data = event.data
    return wire.TaskEvent(
        id=event.id,
        task_id=task_id,
        seq=event.sequence,
        type=event.type,
        stage_index=data.get("stageIndex"),
        stage_name=data.get("stageName"),
        level=data.get("level", "info"),
        message=data.get("message", ""),
        data={name: value for name, value in data.items() if name not in OWN},
        actor=data.get("actor"),
        created_at=wire_time(event.at),
    )


@route("GET", "/api/web/tasks/{id}/events", permission=VIEW, errors=(MISSING,))
async def events(call: Call, query: wire.TaskEventsQuery, access: Access) -> wire.TaskEvents:
    """What happened to a task, the oldest first."""
    words = frozenset(word.strip().lower() for word in query.type)

    def verb(tx: Tx) -> wire.TaskEvents:
        task = finding.find(tx, access, number(call.path["id"]))
        found, total = history.page(tx, task, words=words, text=query.search, offset=query.offset, limit=query.limit)
        items = [item(task.id, event) for event in found]
        return wire.TaskEvents(items=items, total=total, limit=query.limit, offset=query.offset)

    return await call.read(verb)


def line(one: Line) -> wire.LogLine:
    return wire.LogLine(
        seq=one.number,
        ts=wire_time(one.time),
        stream="system" if one.stream == "system" else "pty",
        text=one.message,
    )


def text(lines: Sequence[Line]) -> bytes:
    return "".join(f"{one.message}\n" for one in lines).encode()


@route("GET", "/api/web/tasks/{id}/logs", permission=VIEW, errors=(MISSING,))
async def logs(call: Call, query: wire.LogLinesQuery, access: Access, logs: Logs) -> Answer[wire.LogLines]:
    """The lines of a task; with `format=text` as plain text."""
    name = await call.read(lambda tx: stream(finding.find(tx, access, number(call.path["id"])).id))
    found = await logs.read(name, after=query.offset, limit=query.limit)
    if query.format == "text":
        return Answer(text(found), headers={"content-type": "text/plain; charset=utf-8"})  # type: ignore[arg-type]
    total = (await logs.state(name)).head
    items = [line(one) for one in found]
    return Answer(wire.LogLines(items=items, total=total, limit=query.limit, offset=query.offset))
