"""Operations below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "resources.runtime-logs.archive",
        "POST",
        "/api/resources/{resourceId}/runtime-log-archives",
        "Snapshot workload logs into an archive",
        auth="session:admin",
        status=201,
        errors=((400, "validation_error"), (404, "not_found"), (409, "resource_runtime_logs_unavailable")),
        body="resources_runtime_log_archives:ResourcesRuntimeLogsArchiveBody",
        response="resources_runtime_log_archives:ResourcesRuntimeLogsArchiveResponse",
    ),
    Operation(
        "resources.runtime-log-archives.list",
        "GET",
        "/api/resources/runtime-log-archives",
        "List log archives",
        auth="session:member",
        status=200,
        errors=(),
        query="resources_runtime_log_archives:ResourcesRuntimeLogArchivesListQuery",
        response="resources_runtime_log_archives:ResourcesRuntimeLogArchivesListResponse",
    ),
    Operation(
        "resources.runtime-log-archives.show",
        "GET",
        "/api/resources/runtime-log-archives/{archiveId}",
        "Read a log archive",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        response="resources_runtime_log_archives:ResourcesRuntimeLogArchivesShowResponse",
    ),
    Operation(
        "resources.runtime-log-archives.prune",
        "POST",
        "/api/resources/runtime-log-archives/prune",
        "Preview or delete old log archives",
        auth="session:admin",
        status=200,
        errors=(),
        body="resources_runtime_log_archives:ResourcesRuntimeLogArchivesPruneBody",
        response="resources_runtime_log_archives:ResourcesRuntimeLogArchivesPruneResponse",
        body_required=True,
    ),
)
