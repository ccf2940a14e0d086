"""What the broker keeps of a project: that it is one of its own."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class BrokerProject(Identified, Base):
    """A project's part in the broker. On the wire a project has the uid of workspace's row."""

    __tablename__ = "broker_projects"
    __table_args__ = (UniqueConstraint("project_id"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"), index=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("workspace_projects.id", ondelete="CASCADE"))
    owner_team_id: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
