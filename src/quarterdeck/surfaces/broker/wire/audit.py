"""Shapes below /api/v1/audit-events."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Word = Annotated[str, Meta(max_length=300)]


class AuditEventsQuery(Struct, kw_only=True):
    """Every filter is exact. `since` is included, `until` is not. More than 1000 are never answered."""

    actor: Word | UnsetType = UNSET
    action: Word | UnsetType = UNSET
    resource: Word | UnsetType = UNSET
    correlation_id: Word | UnsetType = UNSET
    since: Word | UnsetType = UNSET
    until: Word | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=0)] = 100


class AuditEvent(Struct, kw_only=True):
    """`actor` is `user:` or `agent:` with an id, `system`, or `anonymous`; `actor_display` is its name."""

    id: str
    actor: str
    actor_display: str
    action: str
    resource: str
    status: Literal["success", "failure", "denied"]
    correlation_id: str
    metadata: dict[str, Any] | UnsetType = UNSET
    occurred_at: str
