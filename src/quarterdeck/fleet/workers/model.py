"""Workers: processes that dial in. Facts only; each surface derives its own status word from them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Worker(Identified, Base):
    """An enrolled worker; `uid` is its machine id, which it may have chosen itself.

    `capabilities` is what it may be given; `offered` and `slots` what it said it has when last it came, `max_slots`
    what an administrator allows at most. `generation` is that of the access tokens that count, `recovery_hash` stands
    for the secret that gets it another one, `earlier_recovery_hash` for the one that it last recovered by, at
    `recovered_at`, or, without that, for one that counts as much as the newest. `agents`: `{type, version, path}` each;
    `trouble`: by agent `{failures, class, since, until}`, see `degradation`; `ailing`: `{agent, reason}` as the worker
    says itself.
    Percentages are 0 to 100 as it measured them last, `load1` is its load average of a minute. `offline_told_at`: when
    it was told that nothing is heard of it; older than `last_seen_at`, that was an earlier outage. `left_at`: when it
    went by itself, with its work done; None again from its next hello on.
    """

    __tablename__ = "fleet_workers"
    __table_args__ = (
        Index("ix_fleet_workers_organization_id", "organization_id", "id"),
        UniqueConstraint("recovery_hash", name="uq_fleet_workers_credential_hash"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(200))
    recovery_hash: Mapped[str] = mapped_column(String(64))
    earlier_recovery_hash: Mapped[str | None] = mapped_column(String(64))
    recovered_at: Mapped[datetime | None]
    generation: Mapped[int] = mapped_column(default=1, server_default="1")
    proven_at: Mapped[datetime | None]
    capabilities: Mapped[list[str]]
    offered: Mapped[list[str]]
    fingerprint: Mapped[str | None] = mapped_column(String(80))
    version: Mapped[str | None] = mapped_column(String(40))
    boot_id: Mapped[str | None] = mapped_column(String(40))
    slots: Mapped[int] = mapped_column(default=0)
    used_slots: Mapped[int] = mapped_column(default=0)
    max_slots: Mapped[int | None]
    hardware: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    agents: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    projects: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    trouble: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    ailing: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    cpu_percent: Mapped[float | None]
    mem_percent: Mapped[float | None]
    disk_percent: Mapped[float | None]
    load1: Mapped[float | None]
    created_at: Mapped[datetime]
    first_seen_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    offline_told_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    drain_requested_at: Mapped[datetime | None]
    drain_reason: Mapped[str | None] = mapped_column(String(300))
    revoked_at: Mapped[datetime | None]


class EnrolmentToken(Identified, Base):
    """What one machine is enrolled with: kept as a hash, good once. `capabilities` is what its worker may be given."""

    __tablename__ = "fleet_worker_tokens"
    __table_args__ = (
        Index("ix_fleet_worker_tokens_organization_id", "organization_id", "id"),
        Index("ix_fleet_worker_tokens_worker_id", "worker_id"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    label: Mapped[str | None] = mapped_column(String(200))
    secret_hash: Mapped[str] = mapped_column(String(64))
    capabilities: Mapped[list[str]]
    created_by: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("fleet_workers.id"))
    revoked_at: Mapped[datetime | None]
