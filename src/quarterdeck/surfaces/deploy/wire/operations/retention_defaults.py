"""Operations below /api/retention-defaults. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "retention-defaults.list",
        "GET",
        "/api/retention-defaults",
        "List retention defaults",
        auth="session:member",
        status=200,
        errors=(),
        query="retention_defaults:RetentionDefaultsListQuery",
        response="retention_defaults:RetentionDefaultsListResponse",
    ),
    Operation(
        "retention-defaults.configure",
        "POST",
        "/api/retention-defaults",
        "Create or replace a retention default",
        auth="session:admin",
        status=200,
        errors=(),
        body="retention_defaults:RetentionDefaultsConfigureBody",
        response="retention_defaults:RetentionDefaultsConfigureResponse",
        body_required=True,
    ),
    Operation(
        "retention-defaults.show",
        "GET",
        "/api/retention-defaults/{category}",
        "Read the default of one category",
        auth="session:member",
        status=200,
        errors=(),
        query="retention_defaults:RetentionDefaultsShowQuery",
        response="retention_defaults:RetentionDefaultsShowResponse",
    ),
)
