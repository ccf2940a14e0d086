"""Identity providers, and sessions that one of them vouched for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity_oidc_notices",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_identity_oidc_notices"),
    )
    op.create_table(
        "identity_oidc_providers",
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("client_secret", sa.Text(), nullable=True),
        sa.Column("scopes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("groups_claim", sa.String(length=100), nullable=False),
        sa.Column("group_roles", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("default_roles", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("email_domains", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("links_by_email", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_identity_oidc_providers_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_identity_oidc_providers"),
        sa.UniqueConstraint("slug", name="uq_identity_oidc_providers_slug"),
        sa.UniqueConstraint("uid", name="uq_identity_oidc_providers_uid"),
    )
    op.create_index(
        "ix_identity_oidc_providers_organization_id", "identity_oidc_providers", ["organization_id", "id"], unique=False
    )
    op.create_table(
        "identity_oidc_requests",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("provider_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=1000), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["identity_oidc_providers.id"], name="fk_identity_oidc_requests_provider_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["identity_users.id"], name="fk_identity_oidc_requests_user_id"),
        sa.PrimaryKeyConstraint("hash", name="pk_identity_oidc_requests"),
    )
    op.add_column(
        "identity_sessions",
        sa.Column("external_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
    op.add_column("identity_sessions", sa.Column("external_session", sa.String(length=255), nullable=True))
    op.create_index(
        "ix_identity_sessions_external_account_id", "identity_sessions", ["external_account_id"], unique=False
    )
