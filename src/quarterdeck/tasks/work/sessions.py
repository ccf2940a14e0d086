"""Where the last attempt of a task left its worktree, and whether its agent can go on with its session there."""

from __future__ import annotations

from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.orders import is_session
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces.model import Workspace


def home(tx: Tx, task: Task) -> int | None:
    """The row id of the machine that holds the worktree of a task; None where there is none (any more)."""
    row = tx.get(Workspace, task.id)
    return row.worker_id if row is not None and row.removed_at is None else None


def resumed(tx: Tx, task: Task, worker_id: int | None) -> str | None:
    """The session that the agent goes on with on this machine. The first attempt of all begins anew."""
    if task.attempt <= 1 or worker_id is None or home(tx, task) != worker_id:
        return None
    session = task.agent_session
    return session if session is not None and is_session(session) else None
