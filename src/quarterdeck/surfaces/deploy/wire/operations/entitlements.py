"""Operations below /api/entitlements. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "entitlements.query",
        "POST",
        "/api/entitlements/query",
        "Batch check: is the caller's tenant entitled to these capabilities",
        auth="session:member",
        status=200,
        errors=(),
        body="entitlements:EntitlementsQueryBody",
        response="entitlements:EntitlementsQueryResponse",
        body_required=True,
    ),
)
