"""Workspaces of tasks."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.tasks import tunnels as tunnel_routes
from quarterdeck.surfaces.tasks.shapes import number
from quarterdeck.surfaces.tasks.wire import workspaces as wire
from quarterdeck.tasks.lookup import task_for
from quarterdeck.tasks.tunnels import tunnels
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import keeping

MEGABYTE = 1_000_000


def shape(tx: Tx, task: Task) -> wire.Workspace:
    row, tunnel = keeping.found(tx, task), tunnels.shown(tx, task)
    machine = None if row is None else keeping.machine_of(tx, row)
    figures = None if row is None or row.statistics is None else row.statistics
    return wire.Workspace(
        task_id=task.id,
        machine_id=machine,
        worker_id=machine,
        path=None if row is None else row.path,
        branch=task.branch if row is None else row.branch,
        base_branch=task.base_branch if row is None else row.base_branch,
        head_commit=task.commit_sha if row is None else row.head_commit,
        dirty=None if row is None else row.dirty,
        diff_stat=None
        if figures is None
        else wire.DiffStat(
            files_changed=figures["filesChanged"],
            insertions=figures["insertions"],
            deletions=figures["deletions"],
        ),
        size_mb=None if row is None or row.size is None else round(row.size / MEGABYTE, 1),
        exists=row is not None and row.removed_at is None,
        tunnel=None if tunnel is None else tunnel_routes.shape(task.id, tunnel),
    )


@route("GET", "/api/web/workspaces/{taskId}", permission=tunnel_routes.VIEW, errors=(tunnel_routes.NOT_FOUND,))
async def show(call: Call, access: Access) -> wire.Workspace:
    """Where the work of a task is, and how much it changes."""
    return await call.read(lambda tx: shape(tx, task_for(tx, access, number(call.path["taskId"]), "view")))
