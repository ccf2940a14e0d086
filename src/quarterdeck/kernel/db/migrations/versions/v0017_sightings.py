"""What was last seen of each server behind SSH."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fleet_sightings",
        sa.Column("server_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("reached_at", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.String(length=100), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("failed", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("engine", sa.String(length=100), nullable=True),
        sa.Column("disk_free", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("disk_mount", sa.String(length=255), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["server_id"], ["fleet_servers.id"], name="fk_fleet_sightings_server_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_sightings"),
        sa.UniqueConstraint("uid", name="uq_fleet_sightings_uid"),
    )
    op.create_index("uq_fleet_sightings_server_id", "fleet_sightings", ["server_id"], unique=True)
