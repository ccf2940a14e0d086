"""The one row of an installation."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base


class Instance(Base):
    __tablename__ = "instance"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36))
    signing_key: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
