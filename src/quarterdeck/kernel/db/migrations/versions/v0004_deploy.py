"""Resources, their deployments, and what was seen of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deploy_resources",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("environment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("destination_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("live_slug", sa.String(length=100), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("services", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("source", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("source_fingerprint", sa.String(length=20), nullable=True),
        sa.Column("source_credential", sa.Text(), nullable=True),
        sa.Column("runtime", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("network", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("access", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("health", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("lifecycle", sa.String(length=20), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deployment_count", sa.Integer(), nullable=False),
        sa.Column("latest_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("serving_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("wanted", sa.String(length=10), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["fleet_destinations.id"], name="fk_deploy_resources_destination_id"
        ),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["workspace_environments.id"], name="fk_deploy_resources_environment_id"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_deploy_resources_organization_id"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["workspace_projects.id"], name="fk_deploy_resources_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deploy_resources"),
        sa.UniqueConstraint("ref", name="uq_deploy_resources_ref"),
        sa.UniqueConstraint("uid", name="uq_deploy_resources_uid"),
    )
    op.create_index(
        "ix_deploy_resources_organization_id", "deploy_resources", ["organization_id", "id", "deleted_at"], unique=False
    )
    op.create_index(
        "ix_deploy_resources_project_id", "deploy_resources", ["project_id", "id", "deleted_at"], unique=False
    )
    op.create_index("uq_deploy_resources_slug", "deploy_resources", ["environment_id", "live_slug"], unique=True)
    op.create_table(
        "deploy_deployments",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("environment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resource_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("server_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("destination_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("trigger", sa.String(length=10), nullable=False),
        sa.Column("source_deployment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("candidate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("supersedes_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("superseded_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("snapshot", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("snapshot_ref", sa.String(length=40), nullable=False),
        sa.Column("variables", sa.Text(), nullable=False),
        sa.Column("plan_ref", sa.String(length=40), nullable=False),
        sa.Column("plan", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("commit", sa.String(length=64), nullable=True),
        sa.Column("commit_message", sa.String(length=500), nullable=True),
        sa.Column("artifact", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("artifact_retained", sa.Boolean(), nullable=False),
        sa.Column("route", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("runtime", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("error_code", sa.String(length=100), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_hint", sa.Text(), nullable=True),
        sa.Column("error_phase", sa.String(length=20), nullable=True),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["fleet_destinations.id"], name="fk_deploy_deployments_destination_id"
        ),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["workspace_environments.id"], name="fk_deploy_deployments_environment_id"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_deploy_deployments_organization_id"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["workspace_projects.id"], name="fk_deploy_deployments_project_id"),
        sa.ForeignKeyConstraint(["resource_id"], ["deploy_resources.id"], name="fk_deploy_deployments_resource_id"),
        sa.ForeignKeyConstraint(["server_id"], ["fleet_servers.id"], name="fk_deploy_deployments_server_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deploy_deployments"),
        sa.UniqueConstraint("ref", name="uq_deploy_deployments_ref"),
        sa.UniqueConstraint("uid", name="uq_deploy_deployments_uid"),
    )
    op.create_index(
        "ix_deploy_deployments_organization_id",
        "deploy_deployments",
        ["organization_id", "id", "archived_at"],
        unique=False,
    )
    op.create_index(
        "ix_deploy_deployments_present",
        "deploy_deployments",
        ["server_id", "resource_id"],
        unique=False,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_index(
        "ix_deploy_deployments_project_id", "deploy_deployments", ["project_id", "id", "archived_at"], unique=False
    )
    op.create_index(
        "ix_deploy_deployments_resource_id", "deploy_deployments", ["resource_id", "id", "archived_at"], unique=False
    )
    op.create_index("ix_deploy_deployments_server_id", "deploy_deployments", ["server_id", "id"], unique=False)
    op.create_index("ix_deploy_deployments_status", "deploy_deployments", ["status"], unique=False)
    op.create_index("uq_deploy_deployments_number", "deploy_deployments", ["resource_id", "number"], unique=True)
    op.create_table(
        "deploy_observations",
        sa.Column("resource_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deployment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lifecycle", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("restarts", sa.Integer(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["resource_id"], ["deploy_resources.id"], name="fk_deploy_observations_resource_id"),
        sa.PrimaryKeyConstraint("resource_id", name="pk_deploy_observations"),
    )
    op.create_table(
        "deploy_runtime_controls",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("resource_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deployment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("operation", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("runtime_state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=280), nullable=True),
        sa.Column("blocked_reason", sa.String(length=60), nullable=True),
        sa.Column("error_code", sa.String(length=100), nullable=True),
        sa.Column("phases", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["deploy_resources.id"], name="fk_deploy_runtime_controls_resource_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deploy_runtime_controls"),
        sa.UniqueConstraint("ref", name="uq_deploy_runtime_controls_ref"),
        sa.UniqueConstraint("uid", name="uq_deploy_runtime_controls_uid"),
    )
    op.create_index(
        "ix_deploy_runtime_controls_resource_id", "deploy_runtime_controls", ["resource_id", "id"], unique=False
    )
    op.create_table(
        "deploy_phases",
        sa.Column("deployment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deploy_deployments.id"], name="fk_deploy_phases_deployment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deploy_phases"),
        sa.UniqueConstraint("uid", name="uq_deploy_phases_uid"),
    )
    op.create_index("uq_deploy_phases_phase", "deploy_phases", ["deployment_id", "phase"], unique=True)
