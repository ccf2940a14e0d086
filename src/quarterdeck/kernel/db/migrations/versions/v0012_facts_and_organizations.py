"""Facts and organizations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_facts",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=True),
        sa.Column("payload_hash", sa.String(length=64), nullable=False),
        sa.Column("tenant", sa.String(length=200), nullable=False),
        sa.Column("account", sa.String(length=200), nullable=True),
        sa.Column("capability", sa.String(length=200), nullable=True),
        sa.Column("operation", sa.String(length=200), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("surface", sa.String(length=200), nullable=True),
        sa.Column("body", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_facts"),
        sa.UniqueConstraint("ref", name="uq_access_facts_ref"),
        sa.UniqueConstraint("uid", name="uq_access_facts_uid"),
    )
    op.create_index("ix_access_facts_at", "access_facts", ["at"], unique=False)
    op.create_index("ix_access_facts_organization_id", "access_facts", ["organization_id", "kind", "id"], unique=False)
    op.create_index("uq_access_facts_key", "access_facts", ["organization_id", "kind", "key_hash"], unique=True)
    op.add_column("identity_organizations", sa.Column("logo_url", sa.String(length=2000), nullable=True))
    op.add_column("identity_organizations", sa.Column("updated_at", sa.BigInteger(), nullable=True))
    op.add_column("identity_organizations", sa.Column("deleted_at", sa.BigInteger(), nullable=True))
