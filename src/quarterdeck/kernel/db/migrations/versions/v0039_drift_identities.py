"""Drift identities."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("infra_specs", sa.Column("drift_cloud_identity_id", sa.BigInteger(), nullable=True))
