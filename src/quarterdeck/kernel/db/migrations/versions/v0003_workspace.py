"""Projects, environments and variables; servers and workers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workspace_variables",
        sa.Column("owner", sa.String(length=60), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("exposure", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("is_secret", sa.Boolean(), nullable=False),
        sa.Column("is_reference", sa.Boolean(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspace_variables"),
        sa.UniqueConstraint("uid", name="uq_workspace_variables_uid"),
    )
    op.create_index(
        "uq_workspace_variables_key", "workspace_variables", ["owner", "scope", "key", "exposure"], unique=True
    )
    op.create_table(
        "fleet_access_policies",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("server_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=True),
        sa.Column("template", sa.String(length=255), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_fleet_access_policies_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_access_policies"),
        sa.UniqueConstraint("ref", name="uq_fleet_access_policies_ref"),
        sa.UniqueConstraint("uid", name="uq_fleet_access_policies_uid"),
    )
    op.create_index(
        "uq_fleet_access_policies_scope", "fleet_access_policies", ["organization_id", "server_id"], unique=True
    )
    op.create_table(
        "fleet_servers",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("target_kind", sa.String(length=40), nullable=False),
        sa.Column("lifecycle", sa.String(length=20), nullable=False),
        sa.Column("deactivated_at", sa.BigInteger(), nullable=True),
        sa.Column("deactivation_reason", sa.String(length=280), nullable=True),
        sa.Column("proxy_kind", sa.String(length=20), nullable=False),
        sa.Column("proxy_status", sa.String(length=20), nullable=False),
        sa.Column("proxy_attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("proxy_succeeded_at", sa.BigInteger(), nullable=True),
        sa.Column("proxy_error_code", sa.String(length=100), nullable=True),
        sa.Column("proxy_error_message", sa.Text(), nullable=True),
        sa.Column("edge_http_port", sa.Integer(), nullable=True),
        sa.Column("edge_https_port", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_fleet_servers_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_servers"),
        sa.UniqueConstraint("ref", name="uq_fleet_servers_ref"),
        sa.UniqueConstraint("uid", name="uq_fleet_servers_uid"),
    )
    op.create_index("ix_fleet_servers_organization_id", "fleet_servers", ["organization_id", "id"], unique=False)
    op.create_index(
        "ix_fleet_servers_provider", "fleet_servers", ["provider", "lifecycle", "organization_id", "id"], unique=False
    )
    op.create_table(
        "fleet_workers",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("credential_hash", sa.String(length=64), nullable=False),
        sa.Column("capabilities", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("offered", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("fingerprint", sa.String(length=80), nullable=True),
        sa.Column("version", sa.String(length=40), nullable=True),
        sa.Column("boot_id", sa.String(length=40), nullable=True),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("used_slots", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=True),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=True),
        sa.Column("drain_requested_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_fleet_workers_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_workers"),
        sa.UniqueConstraint("credential_hash", name="uq_fleet_workers_credential_hash"),
        sa.UniqueConstraint("uid", name="uq_fleet_workers_uid"),
    )
    op.create_index("ix_fleet_workers_organization_id", "fleet_workers", ["organization_id", "id"], unique=False)
    op.create_table(
        "workspace_projects",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("lifecycle", sa.String(length=20), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("archive_reason", sa.String(length=280), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_workspace_projects_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workspace_projects"),
        sa.UniqueConstraint("ref", name="uq_workspace_projects_ref"),
        sa.UniqueConstraint("uid", name="uq_workspace_projects_uid"),
    )
    op.create_index(
        "ix_workspace_projects_organization_id", "workspace_projects", ["organization_id", "id"], unique=False
    )
    op.create_index("uq_workspace_projects_slug", "workspace_projects", ["organization_id", "slug"], unique=True)
    op.create_table(
        "fleet_destinations",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("server_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["server_id"], ["fleet_servers.id"], name="fk_fleet_destinations_server_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_destinations"),
        sa.UniqueConstraint("ref", name="uq_fleet_destinations_ref"),
        sa.UniqueConstraint("uid", name="uq_fleet_destinations_uid"),
    )
    op.create_index("uq_fleet_destinations_name", "fleet_destinations", ["server_id", "name"], unique=True)
    op.create_table(
        "workspace_environments",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("lifecycle", sa.String(length=20), nullable=False),
        sa.Column("locked_at", sa.BigInteger(), nullable=True),
        sa.Column("lock_reason", sa.String(length=280), nullable=True),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("archive_reason", sa.String(length=280), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_workspace_environments_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["workspace_environments.id"], name="fk_workspace_environments_parent_id"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["workspace_projects.id"], name="fk_workspace_environments_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_workspace_environments"),
        sa.UniqueConstraint("ref", name="uq_workspace_environments_ref"),
        sa.UniqueConstraint("uid", name="uq_workspace_environments_uid"),
    )
    op.create_index(
        "ix_workspace_environments_organization_id", "workspace_environments", ["organization_id", "id"], unique=False
    )
    op.create_index(
        "ix_workspace_environments_project_id", "workspace_environments", ["project_id", "id"], unique=False
    )
    op.create_index(
        "uq_workspace_environments_name",
        "workspace_environments",
        ["project_id", sa.literal_column("lower(name)")],
        unique=True,
    )
