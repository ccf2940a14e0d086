"""What of the settings an organization has chosen differently."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId


class TaskSettings(Base):
    """`chosen` holds the values that are not the defaults, by their names on the wire."""

    __tablename__ = "tasks_settings"

    organization_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    chosen: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
