"""Lines of a runtime that somebody keeps, policies of removing what is old on servers, and how each service is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fleet_prune_policies",
        sa.Column("ref", sa.String(length=80), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("server", sa.String(length=40), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.Column("destructive", sa.Boolean(), nullable=False),
        sa.Column("categories", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("retry_on_failure", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_fleet_prune_policies_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_prune_policies"),
        sa.UniqueConstraint("uid", name="uq_fleet_prune_policies_uid"),
    )
    op.create_index("uq_fleet_prune_policies_ref", "fleet_prune_policies", ["organization_id", "ref"], unique=True)
    op.create_table(
        "deploy_log_archives",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resource_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("server_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("deployment_ref", sa.String(length=40), nullable=True),
        sa.Column("service", sa.String(length=100), nullable=True),
        sa.Column("runtime_kind", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=280), nullable=True),
        sa.Column("captured_at", sa.BigInteger(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_deploy_log_archives_organization_id"
        ),
        sa.ForeignKeyConstraint(["resource_id"], ["deploy_resources.id"], name="fk_deploy_log_archives_resource_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deploy_log_archives"),
        sa.UniqueConstraint("ref", name="uq_deploy_log_archives_ref"),
        sa.UniqueConstraint("uid", name="uq_deploy_log_archives_uid"),
    )
    op.create_index(
        "ix_deploy_log_archives_organization_id", "deploy_log_archives", ["organization_id", "id"], unique=False
    )
    op.create_index("ix_deploy_log_archives_resource_id", "deploy_log_archives", ["resource_id", "id"], unique=False)
    op.add_column(
        "deploy_observations",
        sa.Column("services", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
    )
