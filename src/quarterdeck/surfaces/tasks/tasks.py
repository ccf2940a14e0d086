"""Tasks: asking for a change, looking at it, ending it, trying it once more."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from quarterdeck.access import Access
from quarterdeck.fleet.workers import roster
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.idempotency import once
from quarterdeck.surfaces.shared.values import given
from quarterdeck.surfaces.tasks.shapes import cut, number, position
from quarterdeck.surfaces.tasks.task_shapes import shown, source, statuses, task_shape
from quarterdeck.surfaces.tasks.wire import tasks as wire
from quarterdeck.surfaces.tasks.wire.task_shapes import Task
from quarterdeck.tasks import machines
from quarterdeck.tasks.work import acting, budgeting, creating, finding, reading

VIEW, CREATE, ACT = "tasks:tasks.view", "tasks:tasks.create", "tasks:tasks.act"
MISSING = (404, "task_not_found")
NOT_YOURS = (403, "task_not_yours")
KEY = {"Idempotency-Key": "Sent again under the same key within a week, the request makes no second task."}


def listing(
    tx: Tx, access: Access, wanted: finding.Filter, query: wire.TasksQuery | wire.MachineTasksQuery
) -> wire.Tasks:
    found = finding.listed(tx, access, wanted)
    page, cursor = cut(found, lambda task: task.id, query)
    return wire.Tasks(
        items=task_shape(tx, page),
        next_cursor=cursor,
        total=finding.count(tx, access, wanted),
    )


@route("GET", "/api/web/tasks", permission=VIEW, errors=((400, "invalid_value"),))
async def listed(call: Call, query: wire.TasksQuery, access: Access) -> wire.Tasks:
    """The tasks of the caller's projects (an administrator's: all), newest first."""
    words = statuses(query.status)
    before = position(query)
    machine = given(query.machine_id) or given(query.worker_id)

    def verb(tx: Tx) -> wire.Tasks:
        worker = reading.find_machine(tx, machine) if machine else None
        if machine and worker is None:
            return wire.Tasks(items=[], next_cursor=None, total=0)
        wanted = finding.Filter(
            statuses=words,
            project_key=given(query.project_key) or given(query.project),
            worker_id=worker.id if worker is not None else None,
            developer_id=given(query.developer_id),
            mine=query.mine,
            words=query.q,
            before=before,
            skip=0 if before is not None else (query.page - 1) * query.limit,
            limit=query.limit + 1,
        )
        return listing(tx, access, wanted, query)

    return await call.read(verb)


@route(
    "POST",
    "/api/web/tasks",
    permission=CREATE,
    status=201,
    headers=KEY,
    errors=(
        (400, "validation_error"), (400, "branch_invalid"), (400, "pipeline_invalid"), (400, "project_invalid"),
        (400, "developer_not_in_project"), (403, "project_not_yours"),
        (404, "project_not_found"), (404, "worker_not_found"), (404, "developer_not_found"), (404, "task_not_found"),
        (409, "worker_decommissioned"), (409, "conflict"),
    ),
)  # fmt: skip
async def create(call: Call, body: wire.TaskCreate, access: Access) -> Task:
    """Ask for a change; it waits in the queue until a machine takes it."""
    pipeline = given(body.pipeline)
    wanted = creating.Wanted(
        project_key=body.project_key,
        description=body.description,
        machine=given(body.machine_id) or given(body.worker_id),
        developer_id=given(body.developer_id),
        agent_type=given(body.agent_type),
        branch=given(body.branch),
        base_branch=given(body.base_branch),
        pipeline=[msgspec.to_builtins(stage) for stage in pipeline] if pipeline is not None else None,
        priority=body.priority,
        depends_on=tuple(given(body.depends_on) or ()),
        budget_usd=given(body.budget_usd),
        source=source(call),
    )
    key = call.headers.get("idempotency-key")

    def make(tx: Tx) -> dict[str, Any]:
        return {"id": creating.create(tx, access, wanted).id}

    def verb(tx: Tx) -> Task:
        scope = f"{call.endpoint.method} {call.endpoint.path} {tx.principal.uid}"
        made = once(tx, scope, key, body, lambda: make(tx)) if key else make(tx)
        return shown(tx, finding.find(tx, access, made["id"]))

    return await call.write(verb)


@route("GET", "/api/web/tasks/{id}", permission=VIEW, errors=(MISSING,))
async def show(call: Call, access: Access) -> Task:
    """One task, with its stages."""
    return await call.read(lambda tx: shown(tx, finding.find(tx, access, number(call.path["id"]))))


@route(
    "POST",
    "/api/web/tasks/{id}/cancel",
    permission=ACT,
    errors=(MISSING, NOT_YOURS, (409, "task_not_cancellable")),
)
async def cancel(call: Call, access: Access) -> Task:
    """End a task that waits, runs or is suspended; its agent is stopped."""
    return await call.write(lambda tx: shown(tx, acting.cancel(tx, access, number(call.path["id"]))))


@route(
    "POST",
    "/api/web/tasks/{id}/retry",
    permission=ACT,
    errors=(
        MISSING, NOT_YOURS, (400, "stage_unknown"), (404, "worker_not_found"), (409, "task_not_retryable"),
        (409, "budget_spent"),
        (409, "task_project_gone"), (409, "worker_decommissioned"),
    ),
)  # fmt: skip
async def retry(call: Call, body: wire.TaskRetry, access: Access) -> Task:
    """Queue a failed task once more, from its first stage or a later one."""
    stage = None if body.from_stage is UNSET else body.from_stage
    machine = given(body.machine_id) or given(body.worker_id)

    def verb(tx: Tx) -> Task:
        found = acting.retry(tx, access, number(call.path["id"]), from_stage=stage, machine_uid=machine)
        return shown(tx, found)

    return await call.write(verb)


@route(
    "POST",
    "/api/web/tasks/{id}/budget",
    permission=ACT,
    errors=(MISSING, NOT_YOURS, (400, "validation_error"), (400, "budget_invalid"), (409, "task_ended")),
)
async def change_budget(call: Call, body: wire.TaskBudget, access: Access) -> Task:
    """Give a task another budget; one that failed for its budget may be retried then."""

    def verb(tx: Tx) -> Task:
        return shown(tx, budgeting.change(tx, access, number(call.path["id"]), body.budget_usd))

    return await call.write(verb)


@route(
    "GET",
    "/api/web/machines/{id}/tasks",
    permission=VIEW,
    errors=((404, "worker_not_found"), (403, "machines_hidden")),
)
async def of_machine(call: Call, query: wire.MachineTasksQuery, access: Access) -> wire.Tasks:
    """The tasks that a machine has or had last, of those that the caller may see, newest first."""
    words, before = statuses(query.status), position(query)

    def verb(tx: Tx) -> wire.Tasks:
        machines.require_visible(tx, access)
        worker = roster.find(tx, tx.principal.acts_in, call.path["id"])
        wanted = finding.Filter(statuses=words, worker_id=worker.id, before=before, limit=query.limit + 1)
        return listing(tx, access, wanted, query)

    return await call.read(verb)
