"""A deployable thing: where its source is, how it is built, run, reached and checked."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId, Identified


class Resource(Identified, Base):
    """Lifecycle `active → archived → deleted` (a tombstone stays). Profiles are JSON as the contract spells them.

    `version` grows with every change of a profile, so that a form made from an older one is noticed.
    `serving_id` is the deployment whose runtime answers now; `wanted` what its runtime should be (`running | stopped`).
    """

    __tablename__ = "deploy_resources"
    __table_args__ = (
        Index("uq_deploy_resources_slug", "environment_id", "live_slug", unique=True),
        Index("ix_deploy_resources_project_id", "project_id", "id", "deleted_at"),
        Index("ix_deploy_resources_organization_id", "organization_id", "id", "deleted_at"),
    )

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("workspace_projects.id"))
    environment_id: Mapped[int] = mapped_column(ForeignKey("workspace_environments.id"))
    destination_id: Mapped[int | None] = mapped_column(ForeignKey("fleet_destinations.id"))
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(100))
    live_slug: Mapped[str | None] = mapped_column(String(100))  # the slug until deleted, then NULL
    kind: Mapped[str] = mapped_column(String(20))
    description: Mapped[str | None] = mapped_column(Text)
    services: Mapped[list[Any]]
    source: Mapped[dict[str, Any] | None]
    source_fingerprint: Mapped[str | None] = mapped_column(String(20))
    source_credential: Mapped[str | None] = mapped_column(Text)
    runtime: Mapped[dict[str, Any] | None]
    network: Mapped[dict[str, Any] | None]
    access: Mapped[dict[str, Any] | None]
    health: Mapped[dict[str, Any] | None]
    lifecycle: Mapped[str] = mapped_column(String(20), default="active")
    archived_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    deployment_count: Mapped[int] = mapped_column(default=0)  # ever made, the pruned ones too: the newest one's number
    # The newest deployment; no foreign key, since deployments point here.
    latest_id: Mapped[int | None] = mapped_column(BigId)
    serving_id: Mapped[int | None] = mapped_column(BigId)
    wanted: Mapped[str] = mapped_column(String(10), default="running")


class RuntimeControl(Identified, Base):
    """One attempt to stop, start or restart what serves (`rtc_…`)."""

    __tablename__ = "deploy_runtime_controls"
    __table_args__ = (Index("ix_deploy_runtime_controls_resource_id", "resource_id", "id"),)

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("deploy_resources.id"))
    deployment_id: Mapped[int | None] = mapped_column(BigId)
    operation: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10))
    runtime_state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(280))
    blocked_reason: Mapped[str | None] = mapped_column(String(60))
    error_code: Mapped[str | None] = mapped_column(String(100))
    phases: Mapped[list[Any]]
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    job_id: Mapped[int | None] = mapped_column(BigId)
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
