"""Terminals of tasks: their recordings, and the tokens that open their sockets."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fleet_channel_tokens",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("worker_id", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_fleet_channel_tokens_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_channel_tokens"),
        sa.UniqueConstraint("hash", name="uq_fleet_channel_tokens_hash"),
        sa.UniqueConstraint("uid", name="uq_fleet_channel_tokens_uid"),
    )
    op.create_index("ix_fleet_channel_tokens_expires_at", "fleet_channel_tokens", ["expires_at"], unique=False)
    op.create_table(
        "fleet_terminals",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("process", sa.String(length=80), nullable=False),
        sa.Column("columns", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_fleet_terminals_organization_id"
        ),
        sa.ForeignKeyConstraint(["worker_id"], ["fleet_workers.id"], name="fk_fleet_terminals_worker_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_terminals"),
        sa.UniqueConstraint("uid", name="uq_fleet_terminals_uid"),
    )
    op.create_index("ix_fleet_terminals_opened_at", "fleet_terminals", ["opened_at"], unique=False)
    op.create_index("ix_fleet_terminals_subject", "fleet_terminals", ["subject", "id"], unique=False)
