"""Enrolment tokens, what workers say of themselves, and the organization in a job's route.

Workers that were enrolled before had one credential for ever. It counts no longer: they are kept as revoked, and are
enrolled again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "fleet_worker_tokens",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=True),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("capabilities", json, nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_fleet_worker_tokens_organization_id"
        ),
        sa.ForeignKeyConstraint(["worker_id"], ["fleet_workers.id"], name="fk_fleet_worker_tokens_worker_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_worker_tokens"),
        sa.UniqueConstraint("uid", name="uq_fleet_worker_tokens_uid"),
    )
    op.create_index(
        "ix_fleet_worker_tokens_organization_id", "fleet_worker_tokens", ["organization_id", "id"], unique=False
    )
    op.create_index("ix_fleet_worker_tokens_worker_id", "fleet_worker_tokens", ["worker_id"], unique=False)
    op.execute("ALTER TABLE fleet_workers RENAME COLUMN credential_hash TO recovery_hash")
    op.add_column("fleet_workers", sa.Column("generation", sa.Integer(), server_default="1", nullable=False))
    op.add_column("fleet_workers", sa.Column("proven_at", sa.BigInteger(), nullable=True))
    op.add_column("fleet_workers", sa.Column("max_slots", sa.Integer(), nullable=True))
    for name, empty in (("hardware", "{}"), ("agents", "[]"), ("projects", "[]"), ("trouble", "{}"), ("ailing", "[]")):
        op.add_column("fleet_workers", sa.Column(name, json, server_default=empty, nullable=False))
    for name in ("cpu_percent", "mem_percent", "disk_percent", "load1"):
        op.add_column("fleet_workers", sa.Column(name, sa.Double(), nullable=True))
    op.add_column("fleet_workers", sa.Column("drain_reason", sa.String(length=300), nullable=True))
    op.execute("UPDATE fleet_workers SET revoked_at = coalesce(last_seen_at, created_at) WHERE revoked_at IS NULL")
    op.execute(
        "UPDATE jobs SET route = coalesce('@org' || ':' || organization_id, '') || "
        "coalesce('@worker' || ':' || worker_id, '') || '|' || requires "
        "WHERE route IS NOT NULL AND (organization_id IS NOT NULL OR worker_id IS NOT NULL)"
    )
