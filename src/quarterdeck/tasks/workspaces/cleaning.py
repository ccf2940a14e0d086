"""Removing a worktree on its worker: the job `task.workspace-clean`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from quarterdeck.kernel.jobs import JobContext, WorkerHandlers

if TYPE_CHECKING:
    from quarterdeck.tasks.workspaces.workspaces import Workspaces

CLEAN = "task.workspace-clean"
"""The kind of the job."""


class CleanOrder(Struct, frozen=True, kw_only=True):
    """`path` is what the worker had told of the worktree; it removes nothing else than a task's below its own root."""

    task_id: int
    path: str
    organization: str
    project_key: str


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The payload of the job. `order` is there once the task, which tells it otherwise, is to be no more."""

    task: int
    order: CleanOrder | None = None


class Cleaned(Struct, frozen=True, kw_only=True):
    """Bytes: what the worktree had, and what is free on the disk now."""

    removed: int
    free: int


def register(handlers: WorkerHandlers, workspaces: Workspaces) -> None:
    """Let a worker remove worktrees of its workspaces."""

    @handlers.register(CLEAN, CleanOrder)
    async def clean(_context: JobContext, order: CleanOrder) -> Cleaned:
        return Cleaned(removed=await workspaces.remove(order), free=workspaces.free())
