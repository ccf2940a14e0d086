"""A task's worktree, as the pipeline has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Worktree:
    """`head` is the commit that it stood at when it was prepared, `size` its bytes then; `continued` says that an
    earlier attempt had made it.
    """

    path: Path
    branch: str
    base_branch: str
    head: str
    task_id: int
    size: int = 0
    continued: bool = False
    note: Note = field(default=lambda _: None, compare=False, repr=False)
