"""Terminals belong to jobs: an attempt that was put back into the queue keeps its number and gets another job."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("fleet_terminals", "fleet_channel_tokens"):
        op.add_column(table, sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False))
