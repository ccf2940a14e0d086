"""What of agent tasks stands in the way of deleting a project, and what goes along with it."""

from __future__ import annotations

from sqlalchemy import delete, select

from quarterdeck.access import Access
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.projects import activity, projects
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import retention
from quarterdeck.workspace.model import Project


class TaskBlockers:
    """A `kernel.protocols.DeletionBlocker`. Live tasks stand in the way; what has ended goes with the project. Machines
    are asked to remove their worktrees; what is kept under the tasks' numbers, housekeeping takes (`task-remains`).
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    def blockers(self, tx: Tx, kind: str, row_id: int) -> list[tuple[str, int]]:
        project = tx.get(Project, row_id) if kind == "project" else None
        living = activity.live(tx, project.organization_id, row_id) if project is not None else 0
        return [("agent-task", living)] if living else []

    def forget(self, tx: Tx, kind: str, row_id: int) -> None:
        if kind != "project":
            return
        tx.take_time()
        retention.ask_last(tx, row_id)
        tx.flush()
        tx.execute(delete(Task).where(Task.project_id == row_id))
        part = tx.first(select(TaskProject).where(TaskProject.project_id == row_id))
        if part is not None:
            projects.remove(tx, self._access, part)
