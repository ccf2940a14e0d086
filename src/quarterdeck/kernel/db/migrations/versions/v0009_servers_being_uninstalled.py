"""Since when a server is being uninstalled."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fleet_servers", sa.Column("uninstalling_at", sa.BigInteger(), nullable=True))
