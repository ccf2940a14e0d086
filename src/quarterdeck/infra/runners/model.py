"""What infrastructure keeps of a worker: its part as a runner; and the releases of runners."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Runner(Identified, Base):
    """A worker of the fleet as a runner; on the wire it has the worker's uid. `mode` is `self-hosted` or
    `cloud-hosted`, the latter of nobody and for every organization. `token_hash` is that of a foreign program's token;
    one that came by enrolment has none. `runner_metadata` is what it says of itself, without credentials.
    """

    __tablename__ = "infra_runners"
    __table_args__ = (UniqueConstraint("worker_id"),)

    worker_id: Mapped[int] = mapped_column(ForeignKey("fleet_workers.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    mode: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str | None] = mapped_column(String(64))
    cloud_identity_id: Mapped[int | None] = mapped_column(ForeignKey("infra_cloud_identities.id", ondelete="SET NULL"))
    release_id: Mapped[int | None] = mapped_column(ForeignKey("infra_releases.id", ondelete="SET NULL"))
    is_default: Mapped[bool] = mapped_column(Boolean, default=False)
    runner_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]


class Release(Identified, Base):
    """A published version of the runner program."""

    __tablename__ = "infra_releases"
    __table_args__ = (UniqueConstraint("version"),)

    version: Mapped[str] = mapped_column(String(100))
    release_notes: Mapped[str | None] = mapped_column(Text)
    github_release_url: Mapped[str | None] = mapped_column(String(1000))
    commit_sha: Mapped[str | None] = mapped_column(String(64))
    is_breaking: Mapped[bool] = mapped_column(Boolean, default=False)
    released_at: Mapped[datetime]
