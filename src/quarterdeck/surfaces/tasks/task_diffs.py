"""What a task changes."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.tasks.shapes import number
from quarterdeck.surfaces.tasks.tasks import MISSING, VIEW
from quarterdeck.surfaces.tasks.wire import task_diffs as wire
from quarterdeck.tasks.work import finding
from quarterdeck.tasks.workspaces import diffs
from quarterdeck.tasks.workspaces.model import Diff


def shape(row: Diff) -> wire.TaskDiff:
    return wire.TaskDiff(
        task_id=row.task_id,
        attempt=row.attempt,
        stage_index=row.stage,
        base_commit=row.base_commit,
        commit_sha=row.commit_sha,
        files_changed=row.files_changed,
        insertions=row.insertions,
        deletions=row.deletions,
        patch=row.patch,
        truncated=row.cut,
        created_at=wire_time(row.told_at),
    )


@route("GET", "/api/web/tasks/{id}/diff", permission=VIEW, errors=(MISSING, (404, "task_diff_not_found")))
async def show(call: Call, access: Access) -> wire.TaskDiff:
    """What a task changes against its base branch, as its machine told last: of what was delivered, or of its worktree
    when a stage waited for somebody or an attempt failed.
    """

    def verb(tx: Tx) -> wire.TaskDiff:
        return shape(diffs.find(tx, finding.find(tx, access, number(call.path["id"]))))

    return await call.read(verb)
