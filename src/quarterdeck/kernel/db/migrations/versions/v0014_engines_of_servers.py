"""What was decided about the Docker engine of a server, and the newest work on it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fleet_servers", sa.Column("engine_use", sa.String(length=20), nullable=True))
    op.add_column("fleet_servers", sa.Column("engine_decided_at", sa.BigInteger(), nullable=True))
    op.add_column("fleet_servers", sa.Column("engine_reason", sa.String(length=280), nullable=True))
    op.add_column(
        "fleet_servers", sa.Column("engine_job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
