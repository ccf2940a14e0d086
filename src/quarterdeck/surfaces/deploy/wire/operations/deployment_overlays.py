"""Operations below /api/deployment-overlays. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "deployment-overlays.list",
        "GET",
        "/api/deployment-overlays",
        "List deployment overlay records",
        auth="session:member",
        status=200,
        errors=(),
        query="deployment_overlays:DeploymentOverlaysListQuery",
        response="deployment_overlays:DeploymentOverlaysListResponse",
    ),
    Operation(
        "deployment-overlays.record",
        "POST",
        "/api/deployment-overlays",
        "Store one deployment overlay decision",
        auth="session:admin",
        status=202,
        errors=(),
        body="deployment_overlays:DeploymentOverlaysRecordBody",
        response="deployment_overlays:DeploymentOverlaysRecordResponse",
        body_required=True,
    ),
)
