"""What a worker is told of a tunnel: as the order of a job, or by `context.told` of the attempt that runs."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

TUNNEL = "task.tunnel"
"""The kind of the job that carries the tunnel of a task without a running attempt."""
TOLD = "tunnel"
"""The kind of what an attempt is told, and of its reports (`TunnelReport`)."""


class TunnelOrder(Struct, frozen=True, kw_only=True):
    """Times in seconds. `path` is the worktree; `name` what the tunnel is called at its provider."""

    task_id: int
    kind: str
    path: str
    organization: str
    project_key: str
    name: str
    start_seconds: int
    life_seconds: int


class Told(Struct, frozen=True, kw_only=True):
    """`order` comes with `start`."""

    action: Literal["start", "stop"]
    order: TunnelOrder | None = None
