"""What is removed from servers by itself."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class PrunePolicy(Identified, Base):
    """Remove what is older than `retention_days` of some categories, every hour, on one server or (`*`) on all.

    Unless `destructive`, it is only looked what would go.
    """

    __tablename__ = "fleet_prune_policies"
    __table_args__ = (Index("uq_fleet_prune_policies_ref", "organization_id", "ref", unique=True),)

    ref: Mapped[str] = mapped_column(String(80))
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    version: Mapped[str] = mapped_column(String(40))
    scope: Mapped[str] = mapped_column(String(20))
    server: Mapped[str] = mapped_column(String(40))
    retention_days: Mapped[int]
    destructive: Mapped[bool]
    categories: Mapped[list[str]]
    retry_on_failure: Mapped[bool]
    enabled: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
