"""Projects, their environments, and the variables of both."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Project(Identified, Base):
    """Identity and lifecycle (`active | archived`) of a project. A deleted project leaves no row."""

    __tablename__ = "workspace_projects"
    __table_args__ = (
        Index("ix_workspace_projects_organization_id", "organization_id", "id"),
        Index("uq_workspace_projects_slug", "organization_id", "slug", unique=True),
    )

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(Text)
    lifecycle: Mapped[str] = mapped_column(String(20), default="active")
    archived_at: Mapped[datetime | None]
    archive_reason: Mapped[str | None] = mapped_column(String(280))
    created_at: Mapped[datetime]


class Environment(Identified, Base):
    """A stage of a project. Lifecycle `active ⇄ locked`, then `archived`. Its organization is that of the project."""

    __tablename__ = "workspace_environments"
    __table_args__ = (
        Index("ix_workspace_environments_organization_id", "organization_id", "id"),
        Index("ix_workspace_environments_project_id", "project_id", "id"),
    )

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("workspace_projects.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("workspace_environments.id"))
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    lifecycle: Mapped[str] = mapped_column(String(20), default="active")
    locked_at: Mapped[datetime | None]
    lock_reason: Mapped[str | None] = mapped_column(String(280))
    archived_at: Mapped[datetime | None]
    archive_reason: Mapped[str | None] = mapped_column(String(280))
    created_at: Mapped[datetime]


Index("uq_workspace_environments_name", Environment.project_id, func.lower(Environment.name), unique=True)


class Variable(Identified, Base):
    """One value at one scope. `owner` names the row that has it (`environment:12`, `resource:7`).

    `value` is plain text, or the sealed text when `is_secret`.
    """

    __tablename__ = "workspace_variables"
    __table_args__ = (Index("uq_workspace_variables_key", "owner", "scope", "key", "exposure", unique=True),)

    owner: Mapped[str] = mapped_column(String(60))
    scope: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(200))
    exposure: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(30))
    is_secret: Mapped[bool]
    is_reference: Mapped[bool] = mapped_column(default=False)  # managed by the secret routes, not by set-variable
    value: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
