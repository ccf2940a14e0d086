"""A worker may say its recovery secret once more for a while: the answer may have got lost."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fleet_workers", sa.Column("earlier_recovery_hash", sa.String(64), nullable=True))
    op.add_column("fleet_workers", sa.Column("recovered_at", sa.BigInteger(), nullable=True))
