"""Operations below /api/runtime-usage. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "runtime-usage.inspect",
        "GET",
        "/api/runtime-usage/inspect",
        "Live usage snapshot for a scope",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (400, "runtime_usage_scope_attribution_incomplete"), (404, "not_found")),
        query="runtime_usage:RuntimeUsageInspectQuery",
        response="runtime_usage:RuntimeUsageInspectResponse",
    ),
)
