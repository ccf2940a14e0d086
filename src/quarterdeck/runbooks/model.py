"""What an organization keeps for its runbooks."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId, Identified


class RunbookSettings(Identified, Base):
    """`vault_password` opens the files that playbooks bring sealed by `ansible-vault`; it lies sealed itself."""

    __tablename__ = "runbooks_settings"

    organization_id: Mapped[int] = mapped_column(BigId, ForeignKey("identity_organizations.id"), unique=True)
    vault_password: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[datetime]
