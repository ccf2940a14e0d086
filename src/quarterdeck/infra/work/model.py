"""Infrastructure jobs."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified

_LIVE = text("completed_at IS NULL")


class InfraJob(Identified, Base):
    """One job (contract: infra §4.4), carried by the ledger's job `ledger_id`, whose subject is `infra-job:<uid>`.
    `snapshot` is what the runner works from, frozen when it was asked for and without any secret; `execution_metadata`
    what runners told, merged. `read_only`: a look for drift. `worker_id` is who has or had it: a runner's row, or none
    for the server's own, which `worker_name` then names; `on_server`: the last attempt is the server's own, whatever
    becomes of the rows of runners. `subject_worker_id` is the runner whose stack it changes. `credential_hash` is of
    the job's short-lived credential. `identity_print` is of the cloud identity as it was when the job was asked for, ""
    for none. `state_serial` and `state_lineage` are of the state that the attempt of a PLAN could read, or that a
    DESTROY was asked for on. `asked_approvals` is how many people the policy asked for then. `downloads`: by what was
    read with it, or by a runner, the attempt of which that was last told.
    """

    __tablename__ = "infra_jobs"
    __table_args__ = (
        Index("ix_infra_jobs_organization_id", "organization_id", "id"),
        Index("ix_infra_jobs_status", "organization_id", "status", "id"),
        Index("ix_infra_jobs_job_type", "organization_id", "job_type", "id"),
        Index("ix_infra_jobs_owner_id", "organization_id", "owner_id", "id"),
        Index("ix_infra_jobs_spec_id", "spec_id", "job_type", "id"),
        Index("ix_infra_jobs_zone_id", "zone_id", "id"),
        Index("ix_infra_jobs_worker_id", "worker_id", "completed_at"),
        Index("ix_infra_jobs_subject_worker_id", "subject_worker_id", "completed_at"),
        Index("ix_infra_jobs_plan_job_id", "plan_job_id"),
        Index("ix_infra_jobs_ledger_id", "ledger_id", unique=True),
        Index("ix_infra_jobs_live", "status", "id", sqlite_where=_LIVE, postgresql_where=_LIVE),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    owner_id: Mapped[int] = mapped_column(BigInteger)
    zone_id: Mapped[int | None] = mapped_column(ForeignKey("infra_zones.id", ondelete="SET NULL"))
    spec_id: Mapped[int | None] = mapped_column(ForeignKey("infra_specs.id", ondelete="SET NULL"))
    cloud_identity_id: Mapped[int | None] = mapped_column(ForeignKey("infra_cloud_identities.id", ondelete="SET NULL"))
    job_type: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    snapshot: Mapped[dict[str, Any]]
    configuration_hash: Mapped[str | None] = mapped_column(String(64))
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("fleet_workers.id", ondelete="SET NULL"))
    worker_name: Mapped[str | None] = mapped_column(String(200))
    on_server: Mapped[bool] = mapped_column(default=False, server_default=false())
    subject_worker_id: Mapped[int | None] = mapped_column(BigInteger)
    assigned_worker_id: Mapped[int | None] = mapped_column(ForeignKey("fleet_workers.id", ondelete="SET NULL"))
    plan_job_id: Mapped[int | None] = mapped_column(ForeignKey("infra_jobs.id", ondelete="SET NULL"))
    rerun_of_id: Mapped[int | None] = mapped_column(BigInteger)
    ledger_id: Mapped[int | None] = mapped_column(BigInteger)
    read_only: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    stage: Mapped[str | None] = mapped_column(String(40))
    execution_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error_code: Mapped[str | None] = mapped_column(String(120))
    error_message: Mapped[str | None] = mapped_column(Text)
    orphan_risk: Mapped[bool] = mapped_column(default=False)
    credential_hash: Mapped[str | None] = mapped_column(String(64))
    identity_print: Mapped[str | None] = mapped_column(String(64))
    state_serial: Mapped[int | None] = mapped_column(BigInteger)
    state_lineage: Mapped[str | None] = mapped_column(String(100))
    asked_approvals: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    downloads: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    created_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
