"""Workers: processes that dial in. Facts only; each surface derives its own status word from them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Worker(Identified, Base):
    """An enrolled worker. `capabilities` is what it may be given; `offered` what it said it has when last it came."""

    __tablename__ = "fleet_workers"
    __table_args__ = (Index("ix_fleet_workers_organization_id", "organization_id", "id"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(200))
    credential_hash: Mapped[str] = mapped_column(String(64), unique=True)
    capabilities: Mapped[list[str]]
    offered: Mapped[list[str]]
    fingerprint: Mapped[str | None] = mapped_column(String(80))
    version: Mapped[str | None] = mapped_column(String(40))
    boot_id: Mapped[str | None] = mapped_column(String(40))
    slots: Mapped[int] = mapped_column(default=0)
    used_slots: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    first_seen_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    drain_requested_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
