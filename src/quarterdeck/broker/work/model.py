"""Jobs of the broker."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified

_LIVE = text("completed_at IS NULL")


class BrokerJob(Identified, Base):
    """One job (contract: broker §1.10, §2), carried by the ledger's job `ledger_id`, whose subject is
    `broker-job:<uid>`. `job_type` is `patch | read | update | rotate | discover | verify | sync | delete`, and
    `agent_scope` is held against the scopes of agents. `worker_id` is who has or had it: an agent's row, or none for
    the server's own. `payload` is without any value.
    """

    __tablename__ = "broker_jobs"
    __table_args__ = (
        Index("ix_broker_jobs_organization_id", "organization_id", "id"),
        Index("ix_broker_jobs_ledger_id", "ledger_id", unique=True),
        Index("ix_broker_jobs_request_id", "request_id"),
        Index("ix_broker_jobs_live", "status", "id", sqlite_where=_LIVE, postgresql_where=_LIVE),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    job_type: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    request_id: Mapped[int | None] = mapped_column(ForeignKey("broker_requests.id", ondelete="SET NULL"))
    connection_id: Mapped[int | None] = mapped_column(ForeignKey("broker_connections.id", ondelete="SET NULL"))
    agent_scope: Mapped[dict[str, Any]] = mapped_column(default=dict)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    correlation_uid: Mapped[str] = mapped_column(String(36))
    ledger_id: Mapped[int | None] = mapped_column(BigInteger)
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("fleet_workers.id", ondelete="SET NULL"))
    worker_name: Mapped[str | None] = mapped_column(String(200))
    attempts: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str | None] = mapped_column(String(120))
    error_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
