"""Operations below /api/capabilities. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "capabilities.query",
        "POST",
        "/api/capabilities/query",
        "Batch check: may the caller run these operations",
        auth="session:member",
        status=200,
        errors=(),
        body="capabilities:CapabilitiesQueryBody",
        response="capabilities:CapabilitiesQueryResponse",
        body_required=True,
    ),
)
