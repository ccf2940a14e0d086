"""Notifications of people. People are named by id without a foreign key."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified

_UNREAD = text("read_at IS NULL")


class Notification(Identified, Base):
    """Something that one person was told. `repeats` counts how often the same was told within a minute; `link` is a
    path of the console or a whole address.
    """

    __tablename__ = "notify_notifications"
    __table_args__ = (
        Index("ix_notify_notifications_user_id", "user_id", "organization_id", "id"),
        Index(
            "ix_notify_notifications_unread",
            "user_id",
            "organization_id",
            "id",
            sqlite_where=_UNREAD,
            postgresql_where=_UNREAD,
        ),
        Index("ix_notify_notifications_collapse_key", "user_id", "collapse_key", "created_at"),
        Index("ix_notify_notifications_created_at", "created_at"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    user_id: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    link: Mapped[str | None] = mapped_column(String(1000))
    task_id: Mapped[int | None] = mapped_column(BigInteger)
    project_key: Mapped[str | None] = mapped_column(String(64))
    collapse_key: Mapped[str] = mapped_column(String(200))
    repeats: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
