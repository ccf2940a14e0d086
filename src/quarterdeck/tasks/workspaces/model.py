"""What is known of a task's worktree, which is on its worker, and what it changes."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId


class Workspace(Base):
    """Sizes in bytes. `removed_at`: the worktree is gone from the worker. `project_key` is that of the project when the
    worktree was made: its worker knows whose it is by that, also once the project takes no tasks any more.
    """

    __tablename__ = "tasks_workspaces"

    task_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("tasks_tasks.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("fleet_workers.id"))
    project_key: Mapped[str | None] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(String(1000))
    branch: Mapped[str] = mapped_column(String(250))
    base_branch: Mapped[str] = mapped_column(String(250))
    head_commit: Mapped[str | None] = mapped_column(String(64))
    dirty: Mapped[bool | None]
    statistics: Mapped[dict[str, Any] | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Diff(Base):
    """What a task changes, as its worker told last: at a gate, at the end of an attempt that failed, or (with a commit)
    of what was delivered. `stage` is the position of the stage that waits.
    """

    __tablename__ = "tasks_diffs"
    __table_args__ = (Index("ix_tasks_diffs_told_at", "told_at"),)

    task_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("tasks_tasks.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    attempt: Mapped[int]
    stage: Mapped[int | None]
    base_commit: Mapped[str] = mapped_column(String(250))
    commit_sha: Mapped[str | None] = mapped_column(String(64))
    files_changed: Mapped[int]
    insertions: Mapped[int]
    deletions: Mapped[int]
    patch: Mapped[str] = mapped_column(Text)
    cut: Mapped[bool]
    told_at: Mapped[datetime]
