"""What administrators say about how long things stay."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db.types import Base, Identified


class RetentionDefault(Identified, Base):
    """How long things of a category stay in an organization, or (`scope` system) wherever none is said.

    `owner` is the organization that said it: `organization_id`, and 0 where the scope is the system.
    """

    __tablename__ = "retention_defaults"
    __table_args__ = (
        Index("uq_retention_defaults_category", "category", "owner", unique=True),
        Index("uq_retention_defaults_ref", "owner", "ref", unique=True),
    )

    ref: Mapped[str] = mapped_column(String(80))
    scope: Mapped[str] = mapped_column(String(16))
    owner: Mapped[int] = mapped_column(BigInteger)
    category: Mapped[str] = mapped_column(String(64))
    retention_days: Mapped[int]
    dry_run: Mapped[bool]
    destructive: Mapped[bool]
    enabled: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    updated_by_kind: Mapped[str] = mapped_column(String(16))
    updated_by: Mapped[str] = mapped_column(String(64))
