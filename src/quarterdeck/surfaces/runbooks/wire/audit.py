"""Shapes below /api/audit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Word = Annotated[str, Meta(max_length=200)]


class Filters(Struct, kw_only=True):
    """`action_prefix` means every action below it: `user` is `user.invite`, `user.delete` and so on. A day alone as
    `date_to` is included.
    """

    action: Word | UnsetType = UNSET
    action_prefix: Word | UnsetType = UNSET
    username: Word | UnsetType = UNSET
    user_id: Id | UnsetType = UNSET
    date_from: Word | UnsetType = UNSET
    date_to: Word | UnsetType = UNSET
    search: Word | UnsetType = UNSET


class AuditQuery(Filters, kw_only=True):
    """`cursor` is the id that the page before gave as `next_cursor`."""

    cursor: Id | UnsetType = UNSET
    per_page: Annotated[int, Meta(ge=1, le=200)] = 50


class AuditEntry(Struct, kw_only=True):
    """`timestamp` repeats `created_at`."""

    id: int
    user_id: int | None
    username: str
    action: str
    resource: str
    details: dict[str, Any] | None
    ip_address: str | None
    created_at: str
    timestamp: str


class AuditEntries(Struct, kw_only=True):
    """Newest first. `next_cursor` is null only at the end. `total` is exact for filters by action and person; with
    others it counts up to 20,000 matches, and with several among the newest 4,000 events of one.
    """

    entries: list[AuditEntry]
    total: int
    next_cursor: int | None
    per_page: int


class AuditFilters(Struct, kw_only=True):
    usernames: list[str]
    action_categories: list[str]
    actions: list[str]


class AuditExportQuery(Filters, kw_only=True):
    format: Literal["csv", "json"] = "csv"
    limit: Annotated[int, Meta(ge=1, le=50_000)] = 10_000
    cursor: Id | UnsetType = UNSET
