"""Shapes below /api/web/workspaces."""

from __future__ import annotations

from msgspec import Struct

from quarterdeck.surfaces.tasks.wire.tunnels import Tunnel


class DiffStat(Struct, kw_only=True, rename="camel"):
    """What the branch changes since it left the base branch."""

    files_changed: int
    insertions: int
    deletions: int


class Workspace(Struct, kw_only=True, rename="camel"):
    """As its machine told of it last. `exists` is false before it was made and after it was removed; `dirty` and
    `diffStat` are null until something is delivered, `tunnel` where there never was one.
    """

    task_id: int
    machine_id: str | None
    worker_id: str | None
    path: str | None
    branch: str
    base_branch: str
    head_commit: str | None
    dirty: bool | None
    diff_stat: DiffStat | None
    size_mb: float | None
    exists: bool
    tunnel: Tunnel | None
