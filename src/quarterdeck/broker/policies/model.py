"""Policies: rules that say which workflow a request takes."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Policy(Identified, Base):
    """A rule (contract: broker §5.1). `selector` is an object whose every key has to fit. `project_id`: a rule of one
    project alone, written by those who may author its rules. `direct_reveal`: reads that it matches need no approval,
    which never holds in production.
    """

    __tablename__ = "broker_policies"
    __table_args__ = (Index("ix_broker_policies_organization_id", "organization_id", "priority", "id"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(200))
    selector: Mapped[dict[str, Any]] = mapped_column(default=dict)
    workflow_id: Mapped[int] = mapped_column(ForeignKey("broker_workflows.id"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("workspace_projects.id", ondelete="CASCADE"), index=True)
    priority: Mapped[int] = mapped_column(default=0)
    direct_reveal: Mapped[bool] = mapped_column(default=False)
    enabled: Mapped[bool] = mapped_column(default=False)
    is_system: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
