"""Operations below /api/scheduled-task-runs. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "scheduled-task-runs.list",
        "GET",
        "/api/scheduled-task-runs",
        "List task runs",
        auth="session:member",
        status=200,
        errors=(),
        query="scheduled_task_runs:ScheduledTaskRunsListQuery",
        response="scheduled_task_runs:ScheduledTaskRunsListResponse",
    ),
    Operation(
        "scheduled-task-runs.show",
        "GET",
        "/api/scheduled-task-runs/{runId}",
        "Read a task run",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        query="scheduled_task_runs:ScheduledTaskRunsShowQuery",
        response="scheduled_task_runs:ScheduledTaskRunsShowResponse",
    ),
    Operation(
        "scheduled-task-runs.logs",
        "GET",
        "/api/scheduled-task-runs/{runId}/logs",
        "Read task run output",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        query="scheduled_task_runs:ScheduledTaskRunsLogsQuery",
        response="scheduled_task_runs:ScheduledTaskRunsLogsResponse",
    ),
)
