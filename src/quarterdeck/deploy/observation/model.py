"""The last observed state of each resource's runtime, and lines that somebody wanted to keep."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId, Identified


class Observation(Base):
    """One row a resource. `lifecycle` is a word of the contract (`running`, `restarting`, `exited`, …)."""

    __tablename__ = "deploy_observations"

    resource_id: Mapped[int] = mapped_column(BigId, ForeignKey("deploy_resources.id"), primary_key=True)
    deployment_id: Mapped[int] = mapped_column(BigId)
    lifecycle: Mapped[str] = mapped_column(String(16))
    message: Mapped[str | None] = mapped_column(Text)
    services: Mapped[dict[str, Any] | None]
    restarts: Mapped[int] = mapped_column(default=0)
    observed_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class LogArchive(Identified, Base):
    """Lines of a runtime as they were when somebody kept them; `content` is the JSON that they are answered with."""

    __tablename__ = "deploy_log_archives"
    __table_args__ = (
        Index("ix_deploy_log_archives_organization_id", "organization_id", "id"),
        Index("ix_deploy_log_archives_resource_id", "resource_id", "id"),
    )

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    resource_id: Mapped[int] = mapped_column(ForeignKey("deploy_resources.id"))
    project_id: Mapped[int] = mapped_column(BigId)
    server_id: Mapped[int | None] = mapped_column(BigId)
    deployment_ref: Mapped[str | None] = mapped_column(String(40))
    service: Mapped[str | None] = mapped_column(String(100))
    runtime_kind: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(280))
    captured_at: Mapped[datetime]
    line_count: Mapped[int]
    content: Mapped[str] = mapped_column(Text)
