"""What infrastructure keeps of a worker: its part as a runner; and the releases of runners."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Runner(Identified, Base):
    """A worker of the fleet as a runner; on the wire it has the worker's uid. `mode` is `self-hosted` or
    `cloud-hosted`, the latter of nobody and for every organization. `token_hash` is that of a foreign program's token;
    one that came by enrolment has none. `pending_token_hash` is of the token that the job `pending_job_id` was given
    for it, and counts once that job has succeeded. `runner_metadata` is what is said of it, without credentials.
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
    pending_token_hash: Mapped[str | None] = mapped_column(String(64))
    pending_job_id: Mapped[int | None] = mapped_column(BigInteger)
    runner_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]


class DefaultRunner(Identified, Base):
    """Which runner somebody would have chosen for them in an organization. It binds no job."""

    __tablename__ = "infra_default_runners"
    __table_args__ = (UniqueConstraint("user_id", "organization_id"),)

    user_id: Mapped[int] = mapped_column(BigInteger)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    worker_id: Mapped[int] = mapped_column(ForeignKey("fleet_workers.id", ondelete="CASCADE"), index=True)


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
