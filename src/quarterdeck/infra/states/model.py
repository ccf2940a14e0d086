"""States of Terraform and every version of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class State(Identified, Base):
    """The state of `subject`: `spec:<uid>`, or `runner:<uid>` for the stack of a runner. `version` is the number of the
    version that counts (0: there was none yet), the rest what that one says. `lock` is Terraform's own description of
    whoever holds it, `lock_job_id` the job behind it and `lock_fence` its attempt: one that is over holds nothing.
    `addresses` are the first of what it manages, None while no version was written that told them. `robbed` are
    attempts, each a job's row and its fence, whose lock was taken away: they write and lock no more.
    """

    __tablename__ = "infra_states"
    __table_args__ = (
        UniqueConstraint("subject"),
        Index("ix_infra_states_organization_id", "organization_id", "id"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    subject: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(default=0)
    serial: Mapped[int | None] = mapped_column(BigInteger)
    lineage: Mapped[str | None] = mapped_column(String(100))
    resources: Mapped[int] = mapped_column(default=0)
    lock_id: Mapped[str | None] = mapped_column(String(100))
    lock: Mapped[dict[str, Any] | None]
    lock_job_id: Mapped[int | None] = mapped_column(BigInteger)
    lock_fence: Mapped[int | None] = mapped_column(BigInteger)
    locked_at: Mapped[datetime | None]
    addresses: Mapped[list[Any] | None]
    robbed: Mapped[list[Any] | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class StateVersion(Identified, Base):
    """One version, packed and sealed by the vault; `cause` is `write`, `rollback`, `push` or `removed`. One that says
    that the state was removed has no contents, and serial and lineage of the last one that had.
    """

    __tablename__ = "infra_state_versions"
    __table_args__ = (UniqueConstraint("state_id", "number"),)

    state_id: Mapped[int] = mapped_column(ForeignKey("infra_states.id", ondelete="CASCADE"))
    number: Mapped[int]
    serial: Mapped[int] = mapped_column(BigInteger)
    lineage: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    resources: Mapped[int]
    sealed: Mapped[str] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(500))
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    author_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
