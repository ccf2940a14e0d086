"""Where secrets are kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified

_STANDING = text("deleted_at IS NULL")


class Connection(Identified, Base):
    """A provider that requests may name, defined by an administrator. `provider_type` is `vault | aws-sm | kubernetes |
    file | quarterdeck`, `config` its address and the like, `credential` what it is opened with, sealed, or none where
    the agent brings its own. `project_id` and `environment_name` narrow for what it may be named; `agent_scope` says
    which agents reach it (empty: any).
    """

    __tablename__ = "broker_connections"
    __table_args__ = (
        Index(
            "uq_broker_connections_name",
            "organization_id",
            "name",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(200))
    provider_type: Mapped[str] = mapped_column(String(40))
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    credential: Mapped[str | None] = mapped_column(Text)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("workspace_projects.id", ondelete="CASCADE"), index=True)
    environment_name: Mapped[str | None] = mapped_column(String(200))
    agent_scope: Mapped[dict[str, Any]] = mapped_column(default=dict)
    enabled: Mapped[bool] = mapped_column(default=True)
    discover_seconds: Mapped[int] = mapped_column(default=0)
    discovered_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    health_error: Mapped[str | None] = mapped_column(String(1000))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
