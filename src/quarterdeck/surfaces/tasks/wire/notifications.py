"""Notifications, and what of them somebody wants."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.tasks.wire.lists import Paging

Types = Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=50)]


class NotificationsQuery(Paging, kw_only=True, rename="camel"):
    """`all` includes what was read."""

    read_too: bool = field(default=False, name="all")


class Notification(Struct, kw_only=True, rename="camel"):
    """`repeats` counts how often the same was told again within a minute; `createdAt` is the first time."""

    id: int
    type: str
    title: str
    body: str
    task_id: int | None
    project_key: str | None
    link: str | None
    repeats: int
    is_read: bool
    read_at: str | None
    created_at: str


class Notifications(Struct, kw_only=True, rename="camel"):
    items: list[Notification]
    next_cursor: str | None
    total: int
    unread_count: int


class Count(Struct, kw_only=True, rename="camel"):
    count: int


class Choices(Struct, kw_only=True, rename="camel"):
    """`muted` types are not told; those of `email` are mailed as well. `types` are all there are."""

    muted: list[str]
    email: list[str]
    types: list[str]


class ChoicesChange(Struct, kw_only=True, rename="camel"):
    muted: Types | UnsetType = UNSET
    email: Types | UnsetType = UNSET
