"""What tasks ask of the caller, across projects: the open gates that they may answer (contract: tasks §3.2)."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.access import Access
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.tasks.work import finding
from quarterdeck.tasks.work.model import Gate, Task
from quarterdeck.tasks.work.transitions import LIVE
from quarterdeck.tasks.work.visibility import visible_projects

DEPTH = 200
"""Open gates that are looked at, those that close first."""


def answerable(tx: Tx, access: Access) -> list[tuple[Task, Gate]]:
    """The task and its gate; the one that closes first comes first."""
    query = (
        select(Task, Gate)
        .join(Gate, Gate.task_id == Task.id)
        .where(Gate.organization_id == tx.principal.acts_in, Gate.closed_at.is_(None), Task.status.in_(LIVE))
        .order_by(Gate.expires_at, Gate.id)
        .limit(DEPTH)
    )
    visible = visible_projects(tx, access, tx.principal)
    if visible is not None:
        query = query.where(Task.project_id.in_(sorted(visible)))
    return [(task, gate) for task, gate in tx.session.execute(query) if _may_answer(tx, access, task)]


def _may_answer(tx: Tx, access: Access, task: Task) -> bool:
    try:
        finding.require_answerer(tx, access, task, "answer")
    except Forbidden:
        return False
    return True
