"""Operations below /api/usage-intents. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "usage-intents.list",
        "GET",
        "/api/usage-intents",
        "List stored usage facts",
        auth="session:member",
        status=200,
        errors=(),
        query="usage_intents:UsageIntentsListQuery",
        response="usage_intents:UsageIntentsListResponse",
    ),
    Operation(
        "usage-intents.record",
        "POST",
        "/api/usage-intents",
        "Store one usage fact",
        auth="session:admin",
        status=202,
        errors=(),
        body="usage_intents:UsageIntentsRecordBody",
        response="usage_intents:UsageIntentsRecordResponse",
        body_required=True,
    ),
)
