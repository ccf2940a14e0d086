"""Plans and what people said of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Plan(Identified, Base):
    """What the PLAN job `job_id` would change. `changes`, and `drift`, what somebody else has changed by then, are
    without what is sensitive; the saved plan is the artefact
    of that key, hash and size, uploaded by the attempt `fence` of the ledger's job. It fits the state of that serial
    and lineage alone (None: it was empty). `reviewed` is the digest of what people read (`execution.reviewing`).
    """

    __tablename__ = "infra_plans"
    __table_args__ = (UniqueConstraint("job_id"), Index("ix_infra_plans_spec_id", "spec_id", "id"))

    job_id: Mapped[int] = mapped_column(ForeignKey("infra_jobs.id", ondelete="CASCADE"))
    spec_id: Mapped[int | None] = mapped_column(ForeignKey("infra_specs.id", ondelete="CASCADE"))
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)
    changes: Mapped[list[Any]] = mapped_column(default=list)
    drift: Mapped[list[Any]] = mapped_column(default=list)
    cost: Mapped[dict[str, Any] | None]
    artefact_key: Mapped[str | None] = mapped_column(String(200))
    artefact_sha256: Mapped[str | None] = mapped_column(String(64))
    artefact_size: Mapped[int | None] = mapped_column(BigInteger)
    fence: Mapped[int | None] = mapped_column(BigInteger)
    reviewed: Mapped[str | None] = mapped_column(String(80))
    state_serial: Mapped[int | None] = mapped_column(BigInteger)
    state_lineage: Mapped[str | None] = mapped_column(String(100))
    applied_by_id: Mapped[int | None] = mapped_column(BigInteger)
    applied_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Approval(Identified, Base):
    """What somebody said of what a job would do: `job_id` is a PLAN, or a DESTROY that waits to be allowed."""

    __tablename__ = "infra_approvals"
    __table_args__ = (UniqueConstraint("job_id", "user_id"),)

    job_id: Mapped[int] = mapped_column(ForeignKey("infra_jobs.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(BigInteger)
    decision: Mapped[str] = mapped_column(String(10))
    comment: Mapped[str | None] = mapped_column(String(2000))
    created_at: Mapped[datetime]
