"""Answers to commands that were sent under an idempotency key."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kernel_idempotency",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("payload_hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_kernel_idempotency"),
        sa.UniqueConstraint("uid", name="uq_kernel_idempotency_uid"),
    )
    op.create_index("uq_kernel_idempotency_key", "kernel_idempotency", ["key_hash"], unique=True)
    op.create_index("ix_kernel_idempotency_created_at", "kernel_idempotency", ["created_at"])
