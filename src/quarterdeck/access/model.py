"""Who has which role where."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId, Identified


class Grant(Identified, Base):
    """A role of a user in an organization, or in one project of it (`project_id` set).

    Users, organizations and projects are named by id without a foreign key: identity removes them through access.
    """

    __tablename__ = "access_grants"
    __table_args__ = (
        Index("ix_access_grants_user_id", "user_id"),
        Index("uq_access_grants_role", "user_id", "organization_id", "role", "project_id", unique=True),
    )

    user_id: Mapped[int] = mapped_column(BigId)
    organization_id: Mapped[int] = mapped_column(BigId)
    project_id: Mapped[int] = mapped_column(BigId, default=0)
    role: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
