"""What is known of a task's worktree, as its worker reports it."""

from __future__ import annotations

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.orders import DeliveredReport, DiffReport, WorkspaceReport
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import naming
from quarterdeck.tasks.workspaces.model import Workspace


def found(tx: Tx, task: Task) -> Workspace | None:
    """Of a task whose worktree was made once."""
    return tx.get(Workspace, task.id)


def kept(tx: Tx, task: Task) -> Workspace | None:
    """Of a task whose worktree is on its worker."""
    row = found(tx, task)
    return row if row is not None and row.removed_at is None else None


def made(tx: Tx, task: Task, worker_id: int | None, report: WorkspaceReport) -> Workspace:
    """The worktree is there, on this worker (None: the server's own)."""
    row = tx.get(Workspace, task.id)
    known, row = row is not None, row or Workspace(task_id=task.id)
    row.worker_id, row.path, row.project_key = worker_id, report.path, naming.key_of(tx, task)
    row.branch, row.base_branch = report.branch, report.base_branch
    row.head_commit, row.size = report.head_commit, report.size
    row.dirty = row.statistics = row.removed_at = None
    row.updated_at = tx.now
    if not known:
        tx.add(row)
    tx.flush()
    _tell(tx, task, "workspace_ready", f"The workspace is ready at {report.head_commit[:12]}.", {"path": report.path})
    return row


def delivered(tx: Tx, task: Task, report: DeliveredReport) -> None:
    """What was left was committed; nothing of the worktree is uncommitted, but for what was too large."""
    row = kept(tx, task)
    if row is None:
        return
    row.head_commit, row.dirty, row.updated_at = report.commit, False, tx.now
    row.statistics = _figures(report)


def compared(tx: Tx, task: Task, report: DiffReport) -> None:
    """What the worktree changes by now, committed or not."""
    row = kept(tx, task)
    if row is not None:
        row.updated_at = tx.now
        row.statistics = _figures(report)


def _figures(report: DeliveredReport | DiffReport) -> dict[str, int]:
    return {
        "filesChanged": report.files_changed,
        "insertions": report.insertions,
        "deletions": report.deletions,
    }


def removed(tx: Tx, task: Task, row: Workspace, size: int) -> None:
    """Its worker has removed the worktree, which had so many bytes."""
    row.removed_at = row.updated_at = tx.now
    tx.flush()
    _tell(tx, task, "workspace_removed", "The workspace was removed.", {"bytes": size})


def _tell(tx: Tx, task: Task, kind: str, message: str, data: dict[str, object]) -> None:
    told = {"message": message, "level": "info", "data": data}
    events.append(tx, f"task:{task.id}", kind, told, organization_id=task.organization_id)


def machine_of(tx: Tx, row: Workspace) -> str | None:
    """The uid of the worker that has it; None: the server's own."""
    worker = None if row.worker_id is None else tx.get(Worker, row.worker_id)
    return None if worker is None else worker.uid
