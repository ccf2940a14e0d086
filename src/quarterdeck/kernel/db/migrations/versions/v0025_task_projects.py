"""Members of task projects, their number of tasks, and what the dashboard counts by."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0021"
branch_labels = None
depends_on = None


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    op.add_column("tasks_projects", sa.Column("task_count", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_tasks_projects_organization_id", "tasks_projects", ["organization_id", "id"])
    _index("ix_access_grants_project_id", "access_grants", ["project_id", "id"], "project_id <> 0")
    live, ended = "finished_at IS NULL", "finished_at IS NOT NULL"
    counted = ["organization_id", "project_id", "status", "updated_at", "id"]
    _index("ix_tasks_tasks_live_of_project", "tasks_tasks", counted, live)
    _index("ix_tasks_tasks_finished_at", "tasks_tasks", ["organization_id", "finished_at", "status"], ended)
    _index("ix_tasks_tasks_finished_of_project", "tasks_tasks", ["project_id", "finished_at", "status"], ended)
