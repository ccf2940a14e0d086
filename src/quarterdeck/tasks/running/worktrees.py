"""What the runner needs of the room that has worktrees."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from quarterdeck.tasks.orders import DeliveredReport, TaskOrder

Note = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Worktree:
    """`head` is the commit that the branch was at when the worktree was made or found."""

    path: Path
    branch: str
    head: str


class Workspaces(Protocol):
    """Raises `Problem`s whose code is `workspace_error` or `git_push_failed`."""

    async def prepare(self, order: TaskOrder, note: Note) -> Worktree: ...

    async def deliver(self, worktree: Worktree, order: TaskOrder, message: str) -> DeliveredReport: ...

    async def leave(self, worktree: Worktree, order: TaskOrder) -> None: ...
