"""Operations below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "resources.runtime.stop",
        "POST",
        "/api/resources/{resourceId}/runtime/stop",
        "Stop the running workload",
        auth="session:admin",
        status=202,
        errors=(
            (400, "validation_error"),
            (404, "not_found"),
            (409, "resource_runtime_already_in_state"),
            (409, "resource_runtime_control_blocked"),
            (409, "resource_runtime_metadata_missing"),
            (504, "coordination_timeout"),
        ),
        body="resources:ResourcesRuntimeStopBody",
        response="resources:ResourcesRuntimeStopResponse",
    ),
    Operation(
        "resources.runtime.start",
        "POST",
        "/api/resources/{resourceId}/runtime/start",
        "Start the stopped workload",
        auth="session:admin",
        status=202,
        errors=(
            (400, "validation_error"),
            (404, "not_found"),
            (409, "resource_archived"),
            (409, "resource_runtime_already_in_state"),
            (409, "resource_runtime_control_blocked"),
            (409, "resource_runtime_metadata_missing"),
            (504, "coordination_timeout"),
        ),
        body="resources_shapes:ResourcesRuntimeStartBody",
        response="resources:ResourcesRuntimeStartResponse",
    ),
    Operation(
        "resources.runtime.restart",
        "POST",
        "/api/resources/{resourceId}/runtime/restart",
        "Restart the workload",
        auth="session:admin",
        status=202,
        errors=(
            (400, "validation_error"),
            (404, "not_found"),
            (409, "resource_archived"),
            (409, "resource_runtime_already_in_state"),
            (409, "resource_runtime_control_blocked"),
            (409, "resource_runtime_metadata_missing"),
            (504, "coordination_timeout"),
        ),
        body="resources:ResourcesRuntimeRestartBody",
        response="resources:ResourcesRuntimeRestartResponse",
    ),
)
