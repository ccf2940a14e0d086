"""Lists of infrastructure jobs by type and by who asked, what a job about a runner is about, and how workers leave."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fleet_workers", sa.Column("left_at", sa.BigInteger(), nullable=True))
    op.add_column("infra_jobs", sa.Column("subject_worker_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "infra_jobs",
        sa.Column(
            "downloads", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), server_default="{}", nullable=False
        ),
    )
    op.create_index("ix_infra_jobs_job_type", "infra_jobs", ["organization_id", "job_type", "id"], unique=False)
    op.create_index("ix_infra_jobs_owner_id", "infra_jobs", ["organization_id", "owner_id", "id"], unique=False)
    op.create_index(
        "ix_infra_jobs_subject_worker_id", "infra_jobs", ["subject_worker_id", "completed_at"], unique=False
    )
    connection = op.get_bind()
    jobs = sa.table(
        "infra_jobs",
        sa.column("id", sa.BigInteger()),
        sa.column("job_type", sa.String()),
        sa.column("snapshot", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")),
        sa.column("subject_worker_id", sa.BigInteger()),
    )
    workers = sa.table("fleet_workers", sa.column("id", sa.BigInteger()), sa.column("uid", sa.String()))
    of_runners = jobs.c.job_type.in_(("DEPLOY_WORKER", "UPDATE_WORKER", "DESTROY_WORKER"))
    for number, snapshot in connection.execute(sa.select(jobs.c.id, jobs.c.snapshot).where(of_runners)).all():
        about = sa.select(workers.c.id).where(workers.c.uid == str((snapshot or {}).get("worker_id")))
        connection.execute(jobs.update().where(jobs.c.id == number).values(subject_worker_id=about.scalar_subquery()))
