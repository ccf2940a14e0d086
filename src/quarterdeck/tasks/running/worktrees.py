"""What the runner needs of the room that has worktrees (`tasks/workspaces`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from quarterdeck.tasks.orders import DeliveredReport, DeliverReport, DiffReport, TaskOrder

Note = Callable[[str], None]
MayPush = Callable[[DeliverReport], Awaitable[None]]


class Worktree(Protocol):
    """`head` is the commit that it stood at when it was prepared, `size` its bytes then."""

    @property
    def path(self) -> Path: ...
    @property
    def branch(self) -> str: ...
    @property
    def base_branch(self) -> str: ...
    @property
    def head(self) -> str: ...
    @property
    def size(self) -> int: ...


class Workspaces(Protocol):
    """Raises `Problem`s whose code is `workspace_error` or `git_push_failed`."""

    async def prepare(self, order: TaskOrder, note: Note) -> Any:
        """A `Worktree`, which belongs to the agent's user."""
        ...

    async def deliver(self, worktree: Any, order: TaskOrder, message: str, may_push: MayPush) -> DeliveredReport:
        """Commit what is left and push; `may_push` is awaited before, and what it raises keeps the push back."""
        ...

    async def compare(self, worktree: Any, order: TaskOrder, commit: str | None = None) -> DiffReport:
        """What a commit changes, or (None) the files of the worktree as they stand; neither is changed."""
        ...

    async def leave(self, worktree: Any, order: TaskOrder) -> None:
        """Run the project's clean-up command. A failure of it is noted, no more."""
        ...
