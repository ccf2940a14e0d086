"""What an organization keeps for its runbooks: the password of its `ansible-vault` files."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "runbooks_settings",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vault_password", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_runbooks_settings_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_runbooks_settings"),
        sa.UniqueConstraint("organization_id", name="uq_runbooks_settings_organization_id"),
        sa.UniqueConstraint("uid", name="uq_runbooks_settings_uid"),
    )
