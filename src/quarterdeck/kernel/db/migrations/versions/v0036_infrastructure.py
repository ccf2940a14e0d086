"""Infrastructure."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "infra_issuer_keys",
        sa.Column("public", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_infra_issuer_keys"),
        sa.UniqueConstraint("uid", name="uq_infra_issuer_keys_uid"),
    )
    op.create_table(
        "infra_releases",
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("release_notes", sa.Text(), nullable=True),
        sa.Column("github_release_url", sa.String(length=1000), nullable=True),
        sa.Column("commit_sha", sa.String(length=64), nullable=True),
        sa.Column("is_breaking", sa.Boolean(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_infra_releases"),
        sa.UniqueConstraint("uid", name="uq_infra_releases_uid"),
        sa.UniqueConstraint("version", name="uq_infra_releases_version"),
    )
    op.create_table(
        "infra_cloud_identities",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("credentials", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("cached_resources", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("cached_at", sa.BigInteger(), nullable=True),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("check_job_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_infra_cloud_identities_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_infra_cloud_identities"),
        sa.UniqueConstraint("uid", name="uq_infra_cloud_identities_uid"),
    )
    op.create_index(
        "ix_infra_cloud_identities_organization_id", "infra_cloud_identities", ["organization_id", "id"], unique=False
    )
    op.create_table(
        "infra_states",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=True),
        sa.Column("lineage", sa.String(length=100), nullable=True),
        sa.Column("resources", sa.Integer(), nullable=False),
        sa.Column("lock_id", sa.String(length=100), nullable=True),
        sa.Column("lock", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("lock_job_id", sa.BigInteger(), nullable=True),
        sa.Column("lock_fence", sa.BigInteger(), nullable=True),
        sa.Column("locked_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_infra_states_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_infra_states"),
        sa.UniqueConstraint("subject", name="uq_infra_states_subject"),
        sa.UniqueConstraint("uid", name="uq_infra_states_uid"),
    )
    op.create_index("ix_infra_states_organization_id", "infra_states", ["organization_id", "id"], unique=False)
    op.create_table(
        "infra_default_runners",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_infra_default_runners_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["fleet_workers.id"], name="fk_infra_default_runners_worker_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_infra_default_runners"),
        sa.UniqueConstraint("uid", name="uq_infra_default_runners_uid"),
        sa.UniqueConstraint("user_id", "organization_id", name="uq_infra_default_runners_user_id_organization_id"),
    )
    op.create_index("ix_infra_default_runners_worker_id", "infra_default_runners", ["worker_id"], unique=False)
    op.create_table(
        "infra_runners",
        sa.Column("worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("cloud_identity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("release_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("pending_token_hash", sa.String(length=64), nullable=True),
        sa.Column("pending_job_id", sa.BigInteger(), nullable=True),
        sa.Column("runner_metadata", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["cloud_identity_id"],
            ["infra_cloud_identities.id"],
            name="fk_infra_runners_cloud_identity_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_infra_runners_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["infra_releases.id"], name="fk_infra_runners_release_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["fleet_workers.id"], name="fk_infra_runners_worker_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_infra_runners"),
        sa.UniqueConstraint("uid", name="uq_infra_runners_uid"),
        sa.UniqueConstraint("worker_id", name="uq_infra_runners_worker_id"),
    )
    op.create_index("ix_infra_runners_organization_id", "infra_runners", ["organization_id"], unique=False)
    op.create_table(
        "infra_state_versions",
        sa.Column("state_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("lineage", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("resources", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["state_id"], ["infra_states.id"], name="fk_infra_state_versions_state_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_infra_state_versions"),
        sa.UniqueConstraint("state_id", "number", name="uq_infra_state_versions_state_id_number"),
        sa.UniqueConstraint("uid", name="uq_infra_state_versions_uid"),
    )
    op.create_table(
        "infra_zones",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=True),
        sa.Column("approvals", sa.Integer(), nullable=False),
        sa.Column("destroy_approvals", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_infra_zones_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["workspace_projects.id"], name="fk_infra_zones_project_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_infra_zones"),
        sa.UniqueConstraint("project_id", name="uq_infra_zones_project_id"),
        sa.UniqueConstraint("uid", name="uq_infra_zones_uid"),
    )
    op.create_index("ix_infra_zones_organization_id", "infra_zones", ["organization_id"], unique=False)
    op.create_table(
        "infra_specs",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("cloud_identity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("project_name", sa.String(length=200), nullable=False),
        sa.Column("environment_stage", sa.String(length=20), nullable=False),
        sa.Column("region", sa.String(length=100), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("terraform_version", sa.String(length=40), nullable=False),
        sa.Column("document", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("configuration_hash", sa.String(length=64), nullable=False),
        sa.Column("module", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("module_token", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("before_status", sa.String(length=20), nullable=True),
        sa.Column("applied_hash", sa.String(length=64), nullable=True),
        sa.Column("outputs", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("components", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("estimated_monthly_cost", sa.Float(), nullable=True),
        sa.Column("orphan_risk", sa.Text(), nullable=True),
        sa.Column("drift", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("drift_minutes", sa.Integer(), nullable=True),
        sa.Column("drift_due_at", sa.BigInteger(), nullable=True),
        sa.Column("drift_checked_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["cloud_identity_id"],
            ["infra_cloud_identities.id"],
            name="fk_infra_specs_cloud_identity_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_infra_specs_organization_id"
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["infra_zones.id"], name="fk_infra_specs_zone_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_infra_specs"),
        sa.UniqueConstraint("uid", name="uq_infra_specs_uid"),
    )
    op.create_index(
        "ix_infra_specs_drift_due_at",
        "infra_specs",
        ["drift_due_at"],
        unique=False,
        sqlite_where=sa.text("drift_due_at IS NOT NULL"),
        postgresql_where=sa.text("drift_due_at IS NOT NULL"),
    )
    op.create_index("ix_infra_specs_organization_id", "infra_specs", ["organization_id", "id"], unique=False)
    op.create_index(
        "ix_infra_specs_project_name", "infra_specs", ["organization_id", "project_name", "id"], unique=False
    )
    op.create_index("ix_infra_specs_status", "infra_specs", ["organization_id", "status", "id"], unique=False)
    op.create_index("ix_infra_specs_zone_id", "infra_specs", ["zone_id", "id"], unique=False)
    op.create_table(
        "infra_jobs",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("spec_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cloud_identity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("job_type", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("snapshot", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("configuration_hash", sa.String(length=64), nullable=True),
        sa.Column("worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("worker_name", sa.String(length=200), nullable=True),
        sa.Column("assigned_worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("plan_job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("rerun_of_id", sa.BigInteger(), nullable=True),
        sa.Column("ledger_id", sa.BigInteger(), nullable=True),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=True),
        sa.Column("execution_metadata", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("error_code", sa.String(length=120), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("orphan_risk", sa.Boolean(), nullable=False),
        sa.Column("credential_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["assigned_worker_id"], ["fleet_workers.id"], name="fk_infra_jobs_assigned_worker_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["cloud_identity_id"],
            ["infra_cloud_identities.id"],
            name="fk_infra_jobs_cloud_identity_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_infra_jobs_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["plan_job_id"], ["infra_jobs.id"], name="fk_infra_jobs_plan_job_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["spec_id"], ["infra_specs.id"], name="fk_infra_jobs_spec_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["fleet_workers.id"], name="fk_infra_jobs_worker_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["infra_zones.id"], name="fk_infra_jobs_zone_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_infra_jobs"),
        sa.UniqueConstraint("uid", name="uq_infra_jobs_uid"),
    )
    op.create_index("ix_infra_jobs_ledger_id", "infra_jobs", ["ledger_id"], unique=True)
    op.create_index(
        "ix_infra_jobs_live",
        "infra_jobs",
        ["status", "id"],
        unique=False,
        sqlite_where=sa.text("completed_at IS NULL"),
        postgresql_where=sa.text("completed_at IS NULL"),
    )
    op.create_index("ix_infra_jobs_organization_id", "infra_jobs", ["organization_id", "id"], unique=False)
    op.create_index("ix_infra_jobs_plan_job_id", "infra_jobs", ["plan_job_id"], unique=False)
    op.create_index("ix_infra_jobs_spec_id", "infra_jobs", ["spec_id", "job_type", "id"], unique=False)
    op.create_index("ix_infra_jobs_status", "infra_jobs", ["organization_id", "status", "id"], unique=False)
    op.create_index("ix_infra_jobs_worker_id", "infra_jobs", ["worker_id", "completed_at"], unique=False)
    op.create_index("ix_infra_jobs_zone_id", "infra_jobs", ["zone_id", "id"], unique=False)
    op.create_table(
        "infra_spec_versions",
        sa.Column("spec_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("configuration_hash", sa.String(length=64), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("comment", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["spec_id"], ["infra_specs.id"], name="fk_infra_spec_versions_spec_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_infra_spec_versions"),
        sa.UniqueConstraint("spec_id", "number", name="uq_infra_spec_versions_spec_id_number"),
        sa.UniqueConstraint("uid", name="uq_infra_spec_versions_uid"),
    )
    op.create_table(
        "infra_approvals",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("comment", sa.String(length=2000), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["infra_jobs.id"], name="fk_infra_approvals_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_infra_approvals"),
        sa.UniqueConstraint("job_id", "user_id", name="uq_infra_approvals_job_id_user_id"),
        sa.UniqueConstraint("uid", name="uq_infra_approvals_uid"),
    )
    op.create_table(
        "infra_plans",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("spec_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("summary", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("changes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("drift", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("cost", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("artefact_key", sa.String(length=200), nullable=True),
        sa.Column("artefact_sha256", sa.String(length=64), nullable=True),
        sa.Column("artefact_size", sa.BigInteger(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=True),
        sa.Column("state_serial", sa.BigInteger(), nullable=True),
        sa.Column("state_lineage", sa.String(length=100), nullable=True),
        sa.Column("applied_by_id", sa.BigInteger(), nullable=True),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["infra_jobs.id"], name="fk_infra_plans_job_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["spec_id"], ["infra_specs.id"], name="fk_infra_plans_spec_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_infra_plans"),
        sa.UniqueConstraint("job_id", name="uq_infra_plans_job_id"),
        sa.UniqueConstraint("uid", name="uq_infra_plans_uid"),
    )
    op.create_index("ix_infra_plans_spec_id", "infra_plans", ["spec_id", "id"], unique=False)
