"""Addresses to confirm."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("identity_links", sa.Column("email", sa.String(length=320), nullable=True))
    for name in ("asked_by", "asked_in"):
        number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
        op.add_column("identity_links", sa.Column(name, number, nullable=True))
