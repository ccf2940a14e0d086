"""The words by which a worker knows a task's project, and what the organization has set; for orders of any kind."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.settings.defaults import DEFAULTS
from quarterdeck.tasks.settings.model import TaskSettings
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces.model import Workspace


def names(tx: Tx, task: Task) -> tuple[str, str]:
    """`organization` and `project_key`, as `TaskOrder` has them: a worker finds its directories by both, and the user
    that its agents run as. The key is that under which the worktree was made, while there is one.
    """
    organization, workspace = tx.get(Organization, task.organization_id), tx.get(Workspace, task.id)
    key = workspace.project_key if workspace is not None and workspace.removed_at is None else None
    return organization.uid if organization is not None else "", key or key_of(tx, task) or ""


def key_of(tx: Tx, task: Task) -> str | None:
    """Of the task's project now; None where that takes no tasks any more."""
    key: str | None = tx.execute(select(TaskProject.key).where(TaskProject.project_id == task.project_id)).scalar()
    return key


def setting(tx: Tx, organization_id: int, name: str) -> Any:
    """What an organization has chosen, else the default."""
    row = tx.get(TaskSettings, organization_id)
    return {**DEFAULTS, **(row.chosen if row is not None else {})}[name]
