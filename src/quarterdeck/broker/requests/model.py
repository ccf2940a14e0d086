"""Requests for secrets and what people said of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified

_LIVE = text("ended_at IS NULL")


class Request(Identified, Base):
    """One request (contract: broker §1.7 and §4). `kind` is `read | patch | update | rotate`. The requester is a user;
    with `on_behalf` (such as `task:12` or `deployment:dep_…`) it is that piece of work which that user began.

    `revision` grows with every edit, and votes count for the revision that they were cast on. `explanation` says which
    rule sent it to its workflow. `recipient_key` (base64, 32 bytes): values are sealed to it by the agent, so that the
    server never sees them. `rotation` says how a value is to be made. `granted_by_id`: an earlier request whose grant
    this one used; `granted_until` for how long its own lasts. `break_glass`: it went ahead without approval, and has to
    be reviewed. `expires_at` is when it ends by itself as it stands now. `job_id` is the broker's job, one at most.
    """

    __tablename__ = "broker_requests"
    __table_args__ = (
        Index("ix_broker_requests_organization_id", "organization_id", "id"),
        Index("ix_broker_requests_status", "organization_id", "status", "id"),
        Index("ix_broker_requests_requester_id", "organization_id", "requester_id", "id"),
        Index("ix_broker_requests_on_behalf", "on_behalf"),
        Index("ix_broker_requests_expires_at", "expires_at", sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("ix_broker_requests_workflow_id", "workflow_id"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    requester_id: Mapped[int] = mapped_column(BigInteger)
    on_behalf: Mapped[str | None] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    justification: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(default=1)
    workflow_id: Mapped[int] = mapped_column(ForeignKey("broker_workflows.id"))
    explanation: Mapped[dict[str, Any]] = mapped_column(default=dict)
    connection_id: Mapped[int | None] = mapped_column(ForeignKey("broker_connections.id"))
    provider_type: Mapped[str] = mapped_column(String(40))
    provider_config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    secret_ref: Mapped[str] = mapped_column(String(1000))
    keys: Mapped[list[Any]] = mapped_column(default=list)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("workspace_projects.id", ondelete="SET NULL"))
    environment_id: Mapped[int | None] = mapped_column(ForeignKey("workspace_environments.id", ondelete="SET NULL"))
    environment_name: Mapped[str | None] = mapped_column(String(200))
    production: Mapped[bool] = mapped_column(default=True)
    recipient_key: Mapped[str | None] = mapped_column(String(44))
    rotation: Mapped[dict[str, Any] | None]
    granted_by_id: Mapped[int | None] = mapped_column(BigInteger)
    granted_until: Mapped[datetime | None]
    break_glass: Mapped[bool] = mapped_column(default=False)
    reviewed_by_id: Mapped[int | None] = mapped_column(BigInteger)
    reviewed_at: Mapped[datetime | None]
    review_comment: Mapped[str | None] = mapped_column(String(2000))
    job_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    reject_reason: Mapped[str | None] = mapped_column(String(2000))
    error_code: Mapped[str | None] = mapped_column(String(120))
    error_message: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Vote(Identified, Base):
    """What somebody said of one revision of a request, in one of its steps (from 0)."""

    __tablename__ = "broker_votes"
    __table_args__ = (UniqueConstraint("request_id", "revision", "approver_id"),)

    request_id: Mapped[int] = mapped_column(ForeignKey("broker_requests.id", ondelete="CASCADE"))
    revision: Mapped[int]
    step: Mapped[int] = mapped_column(default=0)
    approver_id: Mapped[int] = mapped_column(BigInteger)
    decision: Mapped[str] = mapped_column(String(10))
    comment: Mapped[str | None] = mapped_column(String(2000))
    created_at: Mapped[datetime]
