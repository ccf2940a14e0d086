"""The last observed state of each resource's runtime."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId


class Observation(Base):
    """One row a resource. `lifecycle` is a word of the contract (`running`, `restarting`, `exited`, …)."""

    __tablename__ = "deploy_observations"

    resource_id: Mapped[int] = mapped_column(BigId, ForeignKey("deploy_resources.id"), primary_key=True)
    deployment_id: Mapped[int] = mapped_column(BigId)
    lifecycle: Mapped[str] = mapped_column(String(16))
    message: Mapped[str | None] = mapped_column(Text)
    restarts: Mapped[int] = mapped_column(default=0)
    observed_at: Mapped[datetime]
    changed_at: Mapped[datetime]
