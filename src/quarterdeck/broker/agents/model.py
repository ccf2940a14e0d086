"""What the broker keeps of a worker: its part as an agent."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Agent(Identified, Base):
    """A worker of the fleet as an agent; on the wire it has the worker's uid. `secret_hash` is the SHA-256 of a foreign
    program's secret, `earlier_secret_hash` that of the one before, which counts until `earlier_until` after a rotation;
    one that came by enrolment has none. `scope` says which jobs it takes, `public_key` (base64, 32 bytes) what values
    for it are sealed to. `reported` is what it says of itself. `revoked_at`: it is an agent no more, whatever else its
    worker may do.
    """

    __tablename__ = "broker_agents"
    __table_args__ = (UniqueConstraint("worker_id"),)

    worker_id: Mapped[int] = mapped_column(ForeignKey("fleet_workers.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"), index=True)
    secret_hash: Mapped[str | None] = mapped_column(String(64))
    earlier_secret_hash: Mapped[str | None] = mapped_column(String(64))
    earlier_until: Mapped[datetime | None]
    scope: Mapped[dict[str, Any]] = mapped_column(default=dict)
    public_key: Mapped[str | None] = mapped_column(String(44))
    public_key_algorithm: Mapped[str | None] = mapped_column(String(20))
    public_key_set_at: Mapped[datetime | None]
    reported: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
