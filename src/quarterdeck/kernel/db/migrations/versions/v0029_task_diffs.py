"""What a task changes; outages that were told; the key under which a worktree was made."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tasks_diffs",
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=True),
        sa.Column("base_commit", sa.String(length=250), nullable=False),
        sa.Column("commit_sha", sa.String(length=64), nullable=True),
        sa.Column("files_changed", sa.Integer(), nullable=False),
        sa.Column("insertions", sa.Integer(), nullable=False),
        sa.Column("deletions", sa.Integer(), nullable=False),
        sa.Column("patch", sa.Text(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks_tasks.id"], name="fk_tasks_diffs_task_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", name="pk_tasks_diffs"),
    )
    op.create_index("ix_tasks_diffs_told_at", "tasks_diffs", ["told_at"], unique=False)
    op.add_column("fleet_workers", sa.Column("offline_told_at", sa.BigInteger(), nullable=True))
    # Who is silent already at the upgrade is no news.
    op.execute("UPDATE fleet_workers SET offline_told_at = last_seen_at")
    op.add_column("tasks_workspaces", sa.Column("project_key", sa.String(length=64), nullable=True))
    op.execute(
        "UPDATE tasks_workspaces SET project_key = (SELECT tasks_projects.key FROM tasks_projects JOIN tasks_tasks "
        "ON tasks_tasks.project_id = tasks_projects.project_id WHERE tasks_tasks.id = tasks_workspaces.task_id)"
    )
