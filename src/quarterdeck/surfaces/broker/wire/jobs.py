"""Jobs that administrators ask for (contract: broker §1.10)."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

Id = Annotated[str, Meta(max_length=100)]


class NewJob(Struct, kw_only=True):
    """`job_type` is `sync | discover | verify | delete`. In `payload`, `target_provider_config` may only name a
    connection: `{"connection": "its name"}`.
    """

    job_type: Annotated[str, Meta(max_length=40)]
    agent_scope: dict[str, Any] | UnsetType | None = UNSET
    payload: dict[str, Any] | UnsetType | None = UNSET
    request_id: Id | UnsetType | None = UNSET
    correlation_id: Id | UnsetType | None = UNSET


class QueuedJob(Struct, kw_only=True):
    id: str
    correlation_id: str
    status: str
