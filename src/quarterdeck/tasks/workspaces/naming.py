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


def names(tx: Tx, task: Task) -> tuple[str, str]:
    """`organization` and `project_key`, as `TaskOrder` has them: a worker finds its directories by both."""
    organization = tx.get(Organization, task.organization_id)
    key = tx.execute(select(TaskProject.key).where(TaskProject.project_id == task.project_id)).scalar()
    return organization.uid if organization is not None else "", key or ""


def setting(tx: Tx, organization_id: int, name: str) -> Any:
    """What an organization has chosen, else the default."""
    row = tx.get(TaskSettings, organization_id)
    return {**DEFAULTS, **(row.chosen if row is not None else {})}[name]
