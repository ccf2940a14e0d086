"""What infrastructure keeps of a project: its part as a zone."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Zone(Identified, Base):
    """A project as a zone; `uid` is the zone's on the wire. Plans of its specs need `approvals` people who agree, none
    of them whoever asked (`applies`), and destructions `destroy_approvals`.
    """

    __tablename__ = "infra_zones"
    __table_args__ = (UniqueConstraint("project_id"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"), index=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("workspace_projects.id", ondelete="CASCADE"))
    owner_id: Mapped[int] = mapped_column(BigInteger)
    description: Mapped[str | None] = mapped_column(String(2000))
    approvals: Mapped[int] = mapped_column(default=0)
    destroy_approvals: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
