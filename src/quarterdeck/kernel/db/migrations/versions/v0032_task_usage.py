"""What each session of an agent has used for a task, and since when a task takes no messages more."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks_tasks", sa.Column("messages_until", sa.BigInteger(), nullable=True))
    op.create_table(
        "tasks_usage",
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("session", sa.String(length=200), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks_tasks.id"], name="fk_tasks_usage_task_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "session", name="pk_tasks_usage"),
    )
    # What was counted until now is the session's that is gone on with: it tells all of itself.
    op.execute(
        "INSERT INTO tasks_usage (task_id, session, input_tokens, output_tokens, cost_usd) "
        "SELECT id, coalesce(agent_session, 'before'), input_tokens, output_tokens, cost_usd FROM tasks_tasks "
        "WHERE input_tokens > 0 OR output_tokens > 0 OR cost_usd IS NOT NULL"
    )
