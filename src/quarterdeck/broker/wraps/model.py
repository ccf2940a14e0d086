"""Single values on their way, and the keys that agents seal them with."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified

_STANDING = text("consumed_at IS NULL")


class Wrap(Identified, Base):
    """One value of a request (contract: broker §3.4). `direction` is `in` (from the requester to an agent) or `out`
    (from an agent to the requester). `sealed` is the value under the vault, bound to wrap, request and key; it is
    blanked in the unit that gives it out, and when the wrap ends otherwise (`blanked_at`). With `recipient`, what is
    sealed is itself a text that only the requester's key opens. `digest` is a keyed hash of the value.
    """

    __tablename__ = "broker_wraps"
    __table_args__ = (
        Index("uq_broker_wraps_key", "request_id", "direction", "key_name", unique=True),
        Index("ix_broker_wraps_expires_at", "expires_at", sqlite_where=_STANDING, postgresql_where=_STANDING),
        CheckConstraint(
            "(consumed_at IS NULL AND consumed_by_agent_id IS NULL AND consumed_by_user_id IS NULL) OR "
            "(consumed_at IS NOT NULL AND (consumed_by_agent_id IS NULL) <> (consumed_by_user_id IS NULL))",
            name="consumed_by_one",
        ),
    )

    request_id: Mapped[int] = mapped_column(ForeignKey("broker_requests.id", ondelete="CASCADE"))
    direction: Mapped[str] = mapped_column(String(3))
    key_name: Mapped[str] = mapped_column(String(400))
    sealed: Mapped[str | None] = mapped_column(Text)
    recipient: Mapped[bool] = mapped_column(default=False)
    byte_length: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    consumed_at: Mapped[datetime | None]
    consumed_by_agent_id: Mapped[int | None] = mapped_column(BigInteger)
    consumed_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    blanked_at: Mapped[datetime | None]


class DataKey(Identified, Base):
    """A data key that an agent was given (contract: broker §3.3): `digest` is the SHA-256 of its wrapped form, by which
    it is known when it comes back. It counts once, for the agent and the job that it was given for; with `job_id` 0
    for each of those that its agent held then. Without `worker_id` it is of the server's own worker.
    """

    __tablename__ = "broker_data_keys"
    __table_args__ = (
        Index("uq_broker_data_keys_digest", "digest", unique=True),
        Index("ix_broker_data_keys_worker_id", "worker_id", "expires_at"),
    )

    worker_id: Mapped[int | None] = mapped_column(ForeignKey("fleet_workers.id", ondelete="CASCADE"))
    job_id: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
