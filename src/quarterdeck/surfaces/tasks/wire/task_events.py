"""Shapes of what happened to a task, of its lines, and of what people say to it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

Words = Annotated[str, Meta(max_length=200)]
Offset = Annotated[int, Meta(ge=0, le=2**62)]


class TaskEvent(Struct, kw_only=True, rename="camel"):
    """`seq` counts from 1 within the task. `actor` is the person who did it, null for machines and the server."""

    id: int
    task_id: int
    seq: int
    type: str
    stage_index: int | None
    stage_name: str | None
    level: Literal["info", "warn", "error"]
    message: str
    data: dict[str, Any]
    actor: str | None
    created_at: str


class TaskEvents(Struct, kw_only=True, rename="camel"):
    """In order, the oldest first."""

    items: list[TaskEvent]
    total: int
    limit: int
    offset: int


class TaskEventsQuery(Struct, kw_only=True, rename="camel"):
    """`type` may be repeated or several words with commas; `search` is looked for in messages, in any case."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    offset: Offset = 0
    type: list[Words] = field(default_factory=list)
    search: Words = ""


class LogLine(Struct, kw_only=True, rename="camel"):
    """`pty` is what the agent's terminal shows, `system` what the worker says of its own work."""

    seq: int
    ts: str
    stream: Literal["pty", "system"]
    text: str


class LogLines(Struct, kw_only=True, rename="camel"):
    items: list[LogLine]
    total: int
    limit: int
    offset: int


class LogLinesQuery(Struct, kw_only=True, rename="camel"):
    """`offset` counts lines from the first that there ever was. `format=text` answers the lines alone."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    offset: Offset = 0
    format: Literal["json", "text"] = "json"


class Message(Struct, kw_only=True, rename="camel"):
    """`deliveredAt` is null until the agent has been given it."""

    id: int
    task_id: int
    text: str
    author_id: int
    author: str
    created_at: str
    delivered_at: str | None


class Messages(Struct, kw_only=True, rename="camel"):
    items: list[Message]
    next_cursor: str | None
    total: int


class MessageCreate(Struct, kw_only=True, rename="camel"):
    text: Annotated[str, Meta(max_length=20_000)]
