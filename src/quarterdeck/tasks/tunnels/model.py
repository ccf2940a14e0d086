"""What is known of the tunnel into a task's worktree."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId


class Tunnel(Base):
    """A way into a worktree from an editor. States: contract §6, upper case."""

    __tablename__ = "tasks_tunnels"

    task_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("tasks_tasks.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    url: Mapped[str | None] = mapped_column(String(1000))
    name: Mapped[str | None] = mapped_column(String(200))
    auth_prompt: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
