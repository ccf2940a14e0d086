"""Terminals that were, and the tokens that open their sockets. Whose they are is a subject (`task:42`)."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Base, Identified


class TerminalRow(Identified, Base):
    """One terminal of one attempt, and its recording (`<uid>.cast`). `fence` is the job that the attempt is: one that
    was put back into the queue keeps its number and gets another job. `process` names the server process that has its
    worker's connection; `size` is in bytes, `truncated` says that the recording ends before the terminal did.
    """

    __tablename__ = "fleet_terminals"
    __table_args__ = (
        Index("ix_fleet_terminals_subject", "subject", "id"),
        Index("ix_fleet_terminals_opened_at", "opened_at"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    subject: Mapped[str] = mapped_column(String(120))
    attempt: Mapped[int]
    fence: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    worker_id: Mapped[int | None] = mapped_column(ForeignKey(Worker.id))
    process: Mapped[str] = mapped_column(String(80))
    columns: Mapped[int]
    rows: Mapped[int]
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    exit_code: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(String(40))
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    truncated: Mapped[bool] = mapped_column(default=False)


class ChannelToken(Identified, Base):
    """Opens one socket, once, before `expires_at`: for a person in a mode (`user_id`), or for an attempt's worker."""

    __tablename__ = "fleet_channel_tokens"
    __table_args__ = (Index("ix_fleet_channel_tokens_expires_at", "expires_at"),)

    hash: Mapped[str] = mapped_column(String(64), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    subject: Mapped[str] = mapped_column(String(120))
    mode: Mapped[str] = mapped_column(String(10))
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    worker_id: Mapped[int | None] = mapped_column(BigInteger)
    attempt: Mapped[int | None]
    fence: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
