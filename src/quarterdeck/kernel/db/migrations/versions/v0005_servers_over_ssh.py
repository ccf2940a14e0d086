"""SSH credentials, how servers are signed in to, their host keys, attempts to bring up their edge."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fleet_ssh_credentials",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=True),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("private_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("rotated_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_fleet_ssh_credentials_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_ssh_credentials"),
        sa.UniqueConstraint("ref", name="uq_fleet_ssh_credentials_ref"),
        sa.UniqueConstraint("uid", name="uq_fleet_ssh_credentials_uid"),
    )
    op.create_index(
        "ix_fleet_ssh_credentials_organization_id", "fleet_ssh_credentials", ["organization_id", "id"], unique=False
    )
    op.create_table(
        "fleet_host_keys",
        sa.Column("server_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("algorithm", sa.String(length=40), nullable=True),
        sa.Column("fingerprint", sa.String(length=80), nullable=False),
        sa.Column("pinned_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["server_id"], ["fleet_servers.id"], name="fk_fleet_host_keys_server_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_host_keys"),
        sa.UniqueConstraint("uid", name="uq_fleet_host_keys_uid"),
    )
    op.create_index("uq_fleet_host_keys_server_id", "fleet_host_keys", ["server_id"], unique=True)
    op.create_table(
        "fleet_proxy_attempts",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("server_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("error_code", sa.String(length=100), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["server_id"], ["fleet_servers.id"], name="fk_fleet_proxy_attempts_server_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_proxy_attempts"),
        sa.UniqueConstraint("ref", name="uq_fleet_proxy_attempts_ref"),
        sa.UniqueConstraint("uid", name="uq_fleet_proxy_attempts_uid"),
    )
    op.create_index("ix_fleet_proxy_attempts_server_id", "fleet_proxy_attempts", ["server_id", "id"], unique=False)
    op.create_table(
        "fleet_server_credentials",
        sa.Column("server_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("credential_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("username", sa.String(length=64), nullable=True),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("private_key", sa.Text(), nullable=True),
        sa.Column("configured_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["fleet_ssh_credentials.id"], name="fk_fleet_server_credentials_credential_id"
        ),
        sa.ForeignKeyConstraint(["server_id"], ["fleet_servers.id"], name="fk_fleet_server_credentials_server_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_server_credentials"),
        sa.UniqueConstraint("uid", name="uq_fleet_server_credentials_uid"),
    )
    op.create_index(
        "ix_fleet_server_credentials_credential_id", "fleet_server_credentials", ["credential_id"], unique=False
    )
    op.create_index("uq_fleet_server_credentials_server_id", "fleet_server_credentials", ["server_id"], unique=True)
