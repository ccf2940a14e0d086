"""A machine, as lists of found things show it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Machine(Struct, kw_only=True, rename="camel"):
    id: str
    name: str
    status: Literal["online", "offline", "draining", "decommissioned"]
    capabilities: list[str]
    max_slots: int
    used_slots: int
    worker_version: str | None
    last_heartbeat_at: str | None
    created_at: str
