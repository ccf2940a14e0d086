"""One attempt to bring a resource to a server, and its recorded phases."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId, Identified


class Deployment(Identified, Base):
    """An attempt with its immutable snapshot. `status` is assigned by `transitions.move` only.

    `snapshot` is what the attempt was admitted with (source and profiles); `variables` its sealed variables;
    `plan` what detection and planning made of it; `artifact` what packaging made (image id, release directory);
    `runtime` what was started and where it answers. `number` counts the attempts of the resource from 1.
    """

    __tablename__ = "deploy_deployments"
    __table_args__ = (
        # Rows are wide: with the last column a count has no need to look into them.
        Index("ix_deploy_deployments_organization_id", "organization_id", "id", "archived_at"),
        Index("ix_deploy_deployments_project_id", "project_id", "id", "archived_at"),
        Index("ix_deploy_deployments_resource_id", "resource_id", "id", "archived_at"),
        Index("ix_deploy_deployments_server_id", "server_id", "id"),
        Index(
            "ix_deploy_deployments_present",
            "server_id",
            "resource_id",
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
        Index("ix_deploy_deployments_status", "status"),
        Index("uq_deploy_deployments_number", "resource_id", "number", unique=True),
    )

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("workspace_projects.id"))
    environment_id: Mapped[int] = mapped_column(ForeignKey("workspace_environments.id"))
    resource_id: Mapped[int] = mapped_column(ForeignKey("deploy_resources.id"))
    server_id: Mapped[int] = mapped_column(ForeignKey("fleet_servers.id"))
    destination_id: Mapped[int] = mapped_column(ForeignKey("fleet_destinations.id"))
    number: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    trigger: Mapped[str] = mapped_column(String(10))
    source_deployment_id: Mapped[int | None] = mapped_column(BigId)
    candidate_id: Mapped[int | None] = mapped_column(BigId)  # the deployment that a rollback gives back
    supersedes_id: Mapped[int | None] = mapped_column(BigId)
    superseded_by_id: Mapped[int | None] = mapped_column(BigId)
    requested_by: Mapped[str] = mapped_column(String(200))
    snapshot: Mapped[dict[str, Any]]
    snapshot_ref: Mapped[str] = mapped_column(String(40))
    variables: Mapped[str] = mapped_column(Text)
    plan_ref: Mapped[str] = mapped_column(String(40))
    plan: Mapped[dict[str, Any] | None]
    commit: Mapped[str | None] = mapped_column(String(64))
    commit_message: Mapped[str | None] = mapped_column(String(500))
    artifact: Mapped[dict[str, Any] | None]
    artifact_retained: Mapped[bool] = mapped_column(default=False)
    route: Mapped[dict[str, Any] | None]
    runtime: Mapped[dict[str, Any] | None]
    error_code: Mapped[str | None] = mapped_column(String(100))
    error_message: Mapped[str | None] = mapped_column(Text)
    error_hint: Mapped[str | None] = mapped_column(Text)
    error_phase: Mapped[str | None] = mapped_column(String(20))
    job_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]  # its runtime was drained and stopped
    next_try_at: Mapped[datetime | None]  # while it waits for a server that is out of reach


class Phase(Identified, Base):
    """One phase of an attempt as it was recorded: before its effect (`running`), and when it ended."""

    __tablename__ = "deploy_phases"
    __table_args__ = (Index("uq_deploy_phases_phase", "deployment_id", "phase", unique=True),)

    deployment_id: Mapped[int] = mapped_column(ForeignKey("deploy_deployments.id"))
    phase: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(12))
    detail: Mapped[str | None] = mapped_column(String(300))
    attempts: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
