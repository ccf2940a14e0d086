"""Since when a server is out of reach, and when an attempt that waits for its server tries again."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fleet_sightings", sa.Column("missed_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "fleet_sightings", sa.Column("disk_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
    op.add_column("deploy_deployments", sa.Column("next_try_at", sa.BigInteger(), nullable=True))
