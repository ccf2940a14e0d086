"""Broker."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "broker_rule_sets",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_broker_rule_sets_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_rule_sets"),
        sa.UniqueConstraint("organization_id", name="uq_broker_rule_sets_organization_id"),
        sa.UniqueConstraint("uid", name="uq_broker_rule_sets_uid"),
    )
    op.create_table(
        "broker_secrets",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cluster_name", sa.String(length=200), nullable=False),
        sa.Column("provider_type", sa.String(length=40), nullable=False),
        sa.Column("secret_ref", sa.String(length=1000), nullable=False),
        sa.Column("provider_config", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("labels", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=True),
        sa.Column("checksum", sa.String(length=200), nullable=True),
        sa.Column("created_at_source", sa.BigInteger(), nullable=True),
        sa.Column("updated_at_source", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_broker_secrets_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_secrets"),
        sa.UniqueConstraint("uid", name="uq_broker_secrets_uid"),
    )
    op.create_index("ix_broker_secrets_seen", "broker_secrets", ["status", "last_seen_at"], unique=False)
    op.create_index(
        "uq_broker_secrets_ref",
        "broker_secrets",
        ["organization_id", "cluster_name", "provider_type", "secret_ref"],
        unique=True,
    )
    op.create_table(
        "broker_workflows",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=True),
        sa.Column("min_approvers", sa.Integer(), nullable=False),
        sa.Column("approver_role_uid", sa.String(length=36), nullable=True),
        sa.Column("steps", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("wrap_ttl_created_seconds", sa.Integer(), nullable=False),
        sa.Column("wrap_ttl_approved_seconds", sa.Integer(), nullable=False),
        sa.Column("wrap_ttl_claimed_seconds", sa.Integer(), nullable=False),
        sa.Column("request_ttl_seconds", sa.Integer(), nullable=False),
        sa.Column("grant_seconds", sa.Integer(), nullable=False),
        sa.Column("require_justification", sa.Boolean(), nullable=False),
        sa.Column("allow_self_approval", sa.Boolean(), nullable=False),
        sa.Column("break_glass", sa.Boolean(), nullable=False),
        sa.Column("notification_channels", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("is_system", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_broker_workflows_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_workflows"),
        sa.UniqueConstraint("organization_id", "name", name="uq_broker_workflows_organization_id_name"),
        sa.UniqueConstraint("uid", name="uq_broker_workflows_uid"),
    )
    op.create_index(
        "uq_broker_workflows_default",
        "broker_workflows",
        ["organization_id"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "broker_agents",
        sa.Column("worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=True),
        sa.Column("earlier_secret_hash", sa.String(length=64), nullable=True),
        sa.Column("earlier_until", sa.BigInteger(), nullable=True),
        sa.Column("scope", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("public_key", sa.String(length=44), nullable=True),
        sa.Column("public_key_algorithm", sa.String(length=20), nullable=True),
        sa.Column("public_key_set_at", sa.BigInteger(), nullable=True),
        sa.Column("reported", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_broker_agents_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["fleet_workers.id"], name="fk_broker_agents_worker_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_agents"),
        sa.UniqueConstraint("uid", name="uq_broker_agents_uid"),
        sa.UniqueConstraint("worker_id", name="uq_broker_agents_worker_id"),
    )
    op.create_index("ix_broker_agents_organization_id", "broker_agents", ["organization_id"], unique=False)
    op.create_table(
        "broker_connections",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("provider_type", sa.String(length=40), nullable=False),
        sa.Column("config", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("credential", sa.Text(), nullable=True),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("environment_name", sa.String(length=200), nullable=True),
        sa.Column("agent_scope", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("discover_seconds", sa.Integer(), nullable=False),
        sa.Column("discovered_at", sa.BigInteger(), nullable=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("health_error", sa.String(length=1000), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_broker_connections_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["workspace_projects.id"], name="fk_broker_connections_project_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_connections"),
        sa.UniqueConstraint("uid", name="uq_broker_connections_uid"),
    )
    op.create_index("ix_broker_connections_project_id", "broker_connections", ["project_id"], unique=False)
    op.create_index(
        "uq_broker_connections_name",
        "broker_connections",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "broker_data_keys",
        sa.Column("worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["fleet_workers.id"], name="fk_broker_data_keys_worker_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_data_keys"),
        sa.UniqueConstraint("uid", name="uq_broker_data_keys_uid"),
    )
    op.create_index("ix_broker_data_keys_worker_id", "broker_data_keys", ["worker_id", "expires_at"], unique=False)
    op.create_index("uq_broker_data_keys_digest", "broker_data_keys", ["digest"], unique=True)
    op.create_table(
        "broker_policies",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("selector", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("workflow_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("direct_reveal", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("is_system", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_broker_policies_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["workspace_projects.id"], name="fk_broker_policies_project_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["workflow_id"], ["broker_workflows.id"], name="fk_broker_policies_workflow_id"),
        sa.PrimaryKeyConstraint("id", name="pk_broker_policies"),
        sa.UniqueConstraint("uid", name="uq_broker_policies_uid"),
    )
    op.create_index(
        "ix_broker_policies_organization_id", "broker_policies", ["organization_id", "priority", "id"], unique=False
    )
    op.create_index("ix_broker_policies_project_id", "broker_policies", ["project_id"], unique=False)
    op.create_index("ix_broker_policies_workflow_id", "broker_policies", ["workflow_id"], unique=False)
    op.create_table(
        "broker_projects",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_team_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_broker_projects_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["workspace_projects.id"], name="fk_broker_projects_project_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_projects"),
        sa.UniqueConstraint("project_id", name="uq_broker_projects_project_id"),
        sa.UniqueConstraint("uid", name="uq_broker_projects_uid"),
    )
    op.create_index("ix_broker_projects_organization_id", "broker_projects", ["organization_id"], unique=False)
    op.create_table(
        "broker_secret_labels",
        sa.Column("secret_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["secret_id"], ["broker_secrets.id"], name="fk_broker_secret_labels_secret_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("secret_id", "key", name="pk_broker_secret_labels"),
    )
    op.create_index("ix_broker_secret_labels_pair", "broker_secret_labels", ["key", "value", "secret_id"], unique=False)
    op.create_table(
        "broker_argocd_endpoints",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("environment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("base_url", sa.String(length=1000), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("kms_key_id", sa.String(length=200), nullable=False),
        sa.Column("tls_ca_pem", sa.Text(), nullable=True),
        sa.Column("tls_server_name", sa.String(length=300), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("last_health_at", sa.BigInteger(), nullable=True),
        sa.Column("health_error", sa.String(length=1000), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"],
            ["workspace_environments.id"],
            name="fk_broker_argocd_endpoints_environment_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_broker_argocd_endpoints_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_argocd_endpoints"),
        sa.UniqueConstraint("uid", name="uq_broker_argocd_endpoints_uid"),
    )
    op.create_index(
        "ix_broker_argocd_endpoints_environment_id", "broker_argocd_endpoints", ["environment_id"], unique=False
    )
    op.create_index(
        "uq_broker_argocd_endpoints_name",
        "broker_argocd_endpoints",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "broker_requests",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("requester_id", sa.BigInteger(), nullable=False),
        sa.Column("on_behalf", sa.String(length=80), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("justification", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("workflow_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("explanation", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("provider_type", sa.String(length=40), nullable=False),
        sa.Column("provider_config", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("secret_ref", sa.String(length=1000), nullable=False),
        sa.Column("keys", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("environment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("environment_name", sa.String(length=200), nullable=True),
        sa.Column("production", sa.Boolean(), nullable=False),
        sa.Column("recipient_key", sa.String(length=44), nullable=True),
        sa.Column("rotation", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("granted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("granted_until", sa.BigInteger(), nullable=True),
        sa.Column("break_glass", sa.Boolean(), nullable=False),
        sa.Column("reviewed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.Column("review_comment", sa.String(length=2000), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("reject_reason", sa.String(length=2000), nullable=True),
        sa.Column("error_code", sa.String(length=120), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["broker_connections.id"], name="fk_broker_requests_connection_id"),
        sa.ForeignKeyConstraint(
            ["environment_id"],
            ["workspace_environments.id"],
            name="fk_broker_requests_environment_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_broker_requests_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["workspace_projects.id"], name="fk_broker_requests_project_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["workflow_id"], ["broker_workflows.id"], name="fk_broker_requests_workflow_id"),
        sa.PrimaryKeyConstraint("id", name="pk_broker_requests"),
        sa.UniqueConstraint("job_id", name="uq_broker_requests_job_id"),
        sa.UniqueConstraint("uid", name="uq_broker_requests_uid"),
    )
    op.create_index(
        "ix_broker_requests_expires_at",
        "broker_requests",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_broker_requests_on_behalf", "broker_requests", ["on_behalf"], unique=False)
    op.create_index("ix_broker_requests_organization_id", "broker_requests", ["organization_id", "id"], unique=False)
    op.create_index(
        "ix_broker_requests_requester_id", "broker_requests", ["organization_id", "requester_id", "id"], unique=False
    )
    op.create_index("ix_broker_requests_status", "broker_requests", ["organization_id", "status", "id"], unique=False)
    op.create_index("ix_broker_requests_workflow_id", "broker_requests", ["workflow_id"], unique=False)
    op.create_table(
        "broker_app_mappings",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("secret_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("endpoint_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("application_name", sa.String(length=300), nullable=False),
        sa.Column("application_namespace", sa.String(length=300), nullable=True),
        sa.Column("project_name", sa.String(length=300), nullable=True),
        sa.Column("cluster_name", sa.String(length=300), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.CheckConstraint("(secret_id IS NULL) <> (connection_id IS NULL)", name="one_scope"),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["broker_connections.id"],
            name="fk_broker_app_mappings_connection_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["broker_argocd_endpoints.id"],
            name="fk_broker_app_mappings_endpoint_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_broker_app_mappings_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["secret_id"], ["broker_secrets.id"], name="fk_broker_app_mappings_secret_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_app_mappings"),
        sa.UniqueConstraint("uid", name="uq_broker_app_mappings_uid"),
    )
    op.create_index("ix_broker_app_mappings_connection_id", "broker_app_mappings", ["connection_id"], unique=False)
    op.create_index("ix_broker_app_mappings_endpoint_id", "broker_app_mappings", ["endpoint_id"], unique=False)
    op.create_index(
        "ix_broker_app_mappings_organization_id",
        "broker_app_mappings",
        ["organization_id", "application_name"],
        unique=False,
    )
    op.create_index("ix_broker_app_mappings_secret_id", "broker_app_mappings", ["secret_id"], unique=False)
    op.create_table(
        "broker_jobs",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job_type", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("connection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("agent_scope", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("payload", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("correlation_uid", sa.String(length=36), nullable=False),
        sa.Column("ledger_id", sa.BigInteger(), nullable=True),
        sa.Column("worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("worker_name", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(length=120), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["broker_connections.id"], name="fk_broker_jobs_connection_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_broker_jobs_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["broker_requests.id"], name="fk_broker_jobs_request_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["fleet_workers.id"], name="fk_broker_jobs_worker_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_jobs"),
        sa.UniqueConstraint("uid", name="uq_broker_jobs_uid"),
    )
    op.create_index("ix_broker_jobs_ledger_id", "broker_jobs", ["ledger_id"], unique=True)
    op.create_index(
        "ix_broker_jobs_live",
        "broker_jobs",
        ["status", "id"],
        unique=False,
        sqlite_where=sa.text("completed_at IS NULL"),
        postgresql_where=sa.text("completed_at IS NULL"),
    )
    op.create_index("ix_broker_jobs_organization_id", "broker_jobs", ["organization_id", "id"], unique=False)
    op.create_index("ix_broker_jobs_request_id", "broker_jobs", ["request_id"], unique=False)
    op.create_table(
        "broker_votes",
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("approver_id", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("comment", sa.String(length=2000), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["broker_requests.id"], name="fk_broker_votes_request_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_votes"),
        sa.UniqueConstraint(
            "request_id", "revision", "approver_id", name="uq_broker_votes_request_id_revision_approver_id"
        ),
        sa.UniqueConstraint("uid", name="uq_broker_votes_uid"),
    )
    op.create_table(
        "broker_wraps",
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("key_name", sa.String(length=400), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("recipient", sa.Boolean(), nullable=False),
        sa.Column("byte_length", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("consumed_at", sa.BigInteger(), nullable=True),
        sa.Column("consumed_by_agent_id", sa.BigInteger(), nullable=True),
        sa.Column("consumed_by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("blanked_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.CheckConstraint(
            "(consumed_at IS NULL AND consumed_by_agent_id IS NULL AND consumed_by_user_id IS NULL) OR "
            "(consumed_at IS NOT NULL AND (consumed_by_agent_id IS NULL) <> (consumed_by_user_id IS NULL))",
            name="consumed_by_one",
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["broker_requests.id"], name="fk_broker_wraps_request_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_wraps"),
        sa.UniqueConstraint("uid", name="uq_broker_wraps_uid"),
    )
    op.create_index(
        "ix_broker_wraps_expires_at",
        "broker_wraps",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("consumed_at IS NULL"),
        postgresql_where=sa.text("consumed_at IS NULL"),
    )
    op.create_index("uq_broker_wraps_key", "broker_wraps", ["request_id", "direction", "key_name"], unique=True)
    op.create_table(
        "broker_observations",
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mapping_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("application_name", sa.String(length=300), nullable=False),
        sa.Column("application_namespace", sa.String(length=300), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("before", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("observed", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=1000), nullable=True),
        sa.Column("executed_at", sa.BigInteger(), nullable=False),
        sa.Column("timeout_at", sa.BigInteger(), nullable=False),
        sa.Column("last_polled_at", sa.BigInteger(), nullable=True),
        sa.Column("terminal_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["mapping_id"], ["broker_app_mappings.id"], name="fk_broker_observations_mapping_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["broker_requests.id"], name="fk_broker_observations_request_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_broker_observations"),
        sa.UniqueConstraint("request_id", "mapping_id", name="uq_broker_observations_request_id_mapping_id"),
        sa.UniqueConstraint("uid", name="uq_broker_observations_uid"),
    )
    op.create_index(
        "ix_broker_observations_live",
        "broker_observations",
        ["last_polled_at"],
        unique=False,
        sqlite_where=sa.text("terminal_at IS NULL"),
        postgresql_where=sa.text("terminal_at IS NULL"),
    )
    op.create_index("ix_broker_observations_mapping_id", "broker_observations", ["mapping_id"], unique=False)
