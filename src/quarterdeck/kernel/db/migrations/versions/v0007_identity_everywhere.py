"""Identity everywhere."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_permissions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_permissions"),
        sa.UniqueConstraint("key", name="uq_access_permissions_key"),
    )
    op.create_table(
        "access_roles",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("family", sa.String(length=20), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("edited_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_roles"),
        sa.UniqueConstraint("key", name="uq_access_roles_key"),
        sa.UniqueConstraint("uid", name="uq_access_roles_uid"),
    )
    op.create_table(
        "access_role_permissions",
        sa.Column("role_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("permission", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["access_roles.id"], name="fk_access_role_permissions_role_id"),
        sa.PrimaryKeyConstraint("role_id", "permission", name="pk_access_role_permissions"),
    )
    op.create_table(
        "identity_deploy_tokens",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("suffix", sa.String(length=8), nullable=False),
        sa.Column("scope", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("rotated_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_identity_deploy_tokens_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_identity_deploy_tokens"),
        sa.UniqueConstraint("hash", name="uq_identity_deploy_tokens_hash"),
        sa.UniqueConstraint("ref", name="uq_identity_deploy_tokens_ref"),
        sa.UniqueConstraint("uid", name="uq_identity_deploy_tokens_uid"),
    )
    op.create_index(
        "ix_identity_deploy_tokens_organization_id", "identity_deploy_tokens", ["organization_id", "id"], unique=False
    )
    op.create_table(
        "identity_device_logins",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_identity_device_logins_organization_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["identity_users.id"], name="fk_identity_device_logins_user_id"),
        sa.PrimaryKeyConstraint("hash", name="pk_identity_device_logins"),
    )
    op.create_table(
        "identity_external_accounts",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_sign_in_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["identity_users.id"], name="fk_identity_external_accounts_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_external_accounts"),
        sa.UniqueConstraint("uid", name="uq_identity_external_accounts_uid"),
    )
    op.create_index("ix_identity_external_accounts_user_id", "identity_external_accounts", ["user_id"], unique=False)
    op.create_index(
        "uq_identity_external_accounts_subject", "identity_external_accounts", ["issuer", "subject"], unique=True
    )
    op.create_table(
        "identity_invitations",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("roles", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("invited_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_identity_invitations_organization_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["identity_users.id"], name="fk_identity_invitations_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_invitations"),
        sa.UniqueConstraint("ref", name="uq_identity_invitations_ref"),
        sa.UniqueConstraint("uid", name="uq_identity_invitations_uid"),
    )
    op.create_index(
        "ix_identity_invitations_organization_id", "identity_invitations", ["organization_id", "id"], unique=False
    )
    op.create_table(
        "identity_links",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["identity_users.id"], name="fk_identity_links_user_id"),
        sa.PrimaryKeyConstraint("hash", name="pk_identity_links"),
    )
    op.create_index("ix_identity_links_user_id", "identity_links", ["user_id"], unique=False)
    op.create_table(
        "identity_personal_tokens",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("prefix", sa.String(length=20), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_identity_personal_tokens_organization_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["identity_users.id"], name="fk_identity_personal_tokens_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_personal_tokens"),
        sa.UniqueConstraint("hash", name="uq_identity_personal_tokens_hash"),
        sa.UniqueConstraint("uid", name="uq_identity_personal_tokens_uid"),
    )
    op.create_index("ix_identity_personal_tokens_user_id", "identity_personal_tokens", ["user_id", "id"], unique=False)
    op.create_table(
        "identity_recovery_codes",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["identity_users.id"], name="fk_identity_recovery_codes_user_id"),
        sa.PrimaryKeyConstraint("user_id", "hash", name="pk_identity_recovery_codes"),
    )
    op.add_column("access_grants", sa.Column("scope", sa.String(length=1000), server_default="", nullable=False))
    op.add_column(
        "access_grants", sa.Column("granted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
    op.drop_index("uq_access_grants_role", table_name="access_grants")
    op.create_index(
        "uq_access_grants_role",
        "access_grants",
        ["user_id", "organization_id", "role", "project_id", "scope"],
        unique=True,
    )
    op.add_column("identity_users", sa.Column("joined_at", sa.BigInteger(), nullable=True))
    op.add_column("identity_users", sa.Column("totp_secret", sa.Text(), nullable=True))
    op.add_column("identity_users", sa.Column("totp_enabled_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "identity_users",
        sa.Column("totp_last_step", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
    op.add_column(
        "identity_users",
        sa.Column("preferences", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
    )
    op.create_index(
        "uq_access_roles_name", "access_roles", ["organization_id", sa.literal_column("lower(name)")], unique=True
    )
