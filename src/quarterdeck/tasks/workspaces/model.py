"""What is known of a task's worktree, which is on its worker."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId


class Workspace(Base):
    """Sizes in bytes. `removed_at`: the worktree is gone from the worker."""

    __tablename__ = "tasks_workspaces"

    task_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("tasks_tasks.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("fleet_workers.id"))
    path: Mapped[str] = mapped_column(String(1000))
    branch: Mapped[str] = mapped_column(String(250))
    base_branch: Mapped[str] = mapped_column(String(250))
    head_commit: Mapped[str | None] = mapped_column(String(64))
    dirty: Mapped[bool | None]
    statistics: Mapped[dict[str, Any] | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
