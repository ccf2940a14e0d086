"""Tasks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tasks_projects",
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("repo_url", sa.String(length=1000), nullable=True),
        sa.Column("ssh_url", sa.String(length=1000), nullable=True),
        sa.Column("default_branch", sa.String(length=250), nullable=False),
        sa.Column("agent_type", sa.String(length=80), nullable=True),
        sa.Column("custom_agent", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("pipeline", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("git_token", sa.Text(), nullable=True),
        sa.Column("forge", sa.String(length=20), nullable=True),
        sa.Column("forge_url", sa.String(length=1000), nullable=True),
        sa.Column("merge_requests", sa.Boolean(), nullable=False),
        sa.Column("setup_command", sa.Text(), nullable=True),
        sa.Column("cleanup_command", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("most_tasks", sa.Integer(), nullable=False),
        sa.Column("budget_usd", sa.Float(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_activity_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_tasks_projects_organization_id"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["workspace_projects.id"], name="fk_tasks_projects_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks_projects"),
        sa.UniqueConstraint("project_id", name="uq_tasks_projects_project_id"),
        sa.UniqueConstraint("uid", name="uq_tasks_projects_uid"),
    )
    op.create_table(
        "tasks_tasks",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("suspend_reason", sa.String(length=40), nullable=True),
        sa.Column("queued_reason", sa.String(length=300), nullable=True),
        sa.Column("agent_type", sa.String(length=80), nullable=False),
        sa.Column("worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("requested_worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("developer_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("depends_on", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("branch", sa.String(length=250), nullable=False),
        sa.Column("base_branch", sa.String(length=250), nullable=False),
        sa.Column("commit_sha", sa.String(length=64), nullable=True),
        sa.Column("merge_request_url", sa.String(length=1000), nullable=True),
        sa.Column("pipeline", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("current_stage", sa.Integer(), nullable=True),
        sa.Column("from_stage", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("agent_session", sa.String(length=200), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=True),
        sa.Column("budget_usd", sa.Float(), nullable=True),
        sa.Column("error_code", sa.String(length=80), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("resume_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("assigned_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("suspended_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_tasks_tasks_organization_id"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["workspace_projects.id"], name="fk_tasks_tasks_project_id"),
        sa.ForeignKeyConstraint(
            ["requested_worker_id"], ["fleet_workers.id"], name="fk_tasks_tasks_requested_worker_id"
        ),
        sa.ForeignKeyConstraint(["worker_id"], ["fleet_workers.id"], name="fk_tasks_tasks_worker_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks_tasks"),
        sa.UniqueConstraint("uid", name="uq_tasks_tasks_uid"),
    )
    op.create_index(
        "ix_tasks_tasks_developer_id", "tasks_tasks", ["organization_id", "developer_id", "id"], unique=False
    )
    op.create_index("ix_tasks_tasks_job_id", "tasks_tasks", ["job_id"], unique=False)
    op.create_index(
        "ix_tasks_tasks_live",
        "tasks_tasks",
        ["status", "id"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_index("ix_tasks_tasks_organization_id", "tasks_tasks", ["organization_id", "id"], unique=False)
    op.create_index("ix_tasks_tasks_project_id", "tasks_tasks", ["project_id", "id"], unique=False)
    op.create_index("ix_tasks_tasks_worker_id", "tasks_tasks", ["worker_id", "id"], unique=False)
    op.create_table(
        "tasks_gates",
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("stage_name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("choices", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("on_timeout", sa.String(length=20), nullable=False),
        sa.Column("fallback", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_tasks_gates_organization_id"
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks_tasks.id"], name="fk_tasks_gates_task_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks_gates"),
        sa.UniqueConstraint("uid", name="uq_tasks_gates_uid"),
    )
    op.create_index("ix_tasks_gates_task_id", "tasks_gates", ["task_id", "id"], unique=False)
    op.create_index(
        "uq_tasks_gates_open",
        "tasks_gates",
        ["task_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "tasks_messages",
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks_tasks.id"], name="fk_tasks_messages_task_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks_messages"),
        sa.UniqueConstraint("uid", name="uq_tasks_messages_uid"),
    )
    op.create_index("ix_tasks_messages_task_id", "tasks_messages", ["task_id", "id"], unique=False)
    op.create_table(
        "tasks_stages",
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks_tasks.id"], name="fk_tasks_stages_task_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks_stages"),
        sa.UniqueConstraint("task_id", "position", name="uq_tasks_stages_task_id_position"),
        sa.UniqueConstraint("uid", name="uq_tasks_stages_uid"),
    )
    op.create_table(
        "tasks_tunnels",
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("auth_prompt", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks_tasks.id"], name="fk_tasks_tunnels_task_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", name="pk_tasks_tunnels"),
    )
    op.create_table(
        "tasks_workspaces",
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("path", sa.String(length=1000), nullable=False),
        sa.Column("branch", sa.String(length=250), nullable=False),
        sa.Column("base_branch", sa.String(length=250), nullable=False),
        sa.Column("head_commit", sa.String(length=64), nullable=True),
        sa.Column("dirty", sa.Boolean(), nullable=True),
        sa.Column("statistics", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks_tasks.id"], name="fk_tasks_workspaces_task_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["worker_id"], ["fleet_workers.id"], name="fk_tasks_workspaces_worker_id"),
        sa.PrimaryKeyConstraint("task_id", name="pk_tasks_workspaces"),
    )
    op.create_index(
        "uq_tasks_projects_key", "tasks_projects", ["organization_id", sa.literal_column('lower("key")')], unique=True
    )
