"""The servers of a PostgreSQL database, one row for each data directory."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Presence(Identified, Base):
    """A server that serves, or did until a while ago. Its `uid` is that of its data directory; `address` is where the
    other servers reach it, None where nobody does. `working` is the one that holds the database.
    """

    __tablename__ = "kernel_presences"

    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str | None] = mapped_column(String(300))
    version: Mapped[str] = mapped_column(String(40))
    working: Mapped[bool]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
