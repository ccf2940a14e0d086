"""Shapes below /api/admin/audit-logs."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

Word = Annotated[str, Meta(max_length=200)]


class AuditLogsQuery(Struct, kw_only=True, rename="camel"):
    """`from` is included, `to` too; a day alone as `to` is meant whole. `q` is looked for in action, target and
    detail.
    """

    actor_id: Annotated[int, Meta(ge=0, le=2**63 - 1)] | UnsetType = UNSET
    action: Word | UnsetType = UNSET
    target_type: Word | UnsetType = UNSET
    target_id: Word | UnsetType = UNSET
    since: Word | UnsetType = field(default=UNSET, name="from")
    until: Word | UnsetType = field(default=UNSET, name="to")
    q: Word | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    cursor: Annotated[str, Meta(max_length=40)] | UnsetType = UNSET


class AuditLog(Struct, kw_only=True, rename="camel"):
    """`actor`, `target` and `timestamp` repeat `actorName`, the target's type and id, and `createdAt`."""

    id: int
    actor_id: int | None
    actor_name: str
    actor: str
    action: str
    target_type: str
    target_id: str
    target: str
    outcome: str
    detail: dict[str, Any]
    ip: str | None
    created_at: str
    timestamp: str


class AuditLogs(Struct, kw_only=True, rename="camel"):
    """`total` is exact for filters by actor and action; with others it counts up to 20,000 matches, and with several
    among the newest 4,000 events of one.
    """

    items: list[AuditLog]
    next_cursor: str | None
    total: int
