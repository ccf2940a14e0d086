"""Webhooks of organizations, and what was sent to them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Hook(Identified, Base):
    """`secret` is sealed. `events` are names of `offered.OFFERED`, or patterns such as `task.*`. `failing_since` is
    the first failure after the last success; `disabled_reason` stands where the program gave up by itself.
    """

    __tablename__ = "notify_hooks"
    __table_args__ = (Index("ix_notify_hooks_organization_id", "organization_id", "id"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(2000))
    secret: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]]
    enabled: Mapped[bool] = mapped_column(default=True)
    failing_since: Mapped[datetime | None]
    disabled_reason: Mapped[str | None] = mapped_column(String(300))
    created_by: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Delivery(Identified, Base):
    """One event for one webhook. `body` is what is sent, byte for byte; `event_id` is the domain event's, None of a
    test. States: `deliveries.STATES`.
    """

    __tablename__ = "notify_deliveries"
    __table_args__ = (
        UniqueConstraint("hook_id", "event_id"),
        Index("ix_notify_deliveries_hook_id", "hook_id", "id"),
        Index("ix_notify_deliveries_created_at", "created_at"),
    )

    hook_id: Mapped[int] = mapped_column(ForeignKey("notify_hooks.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    event_id: Mapped[int | None] = mapped_column(BigInteger)
    event: Mapped[str] = mapped_column(String(96))
    body: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int] = mapped_column(default=0)
    response_status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime]
    attempted_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
