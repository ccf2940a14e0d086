"""Operations below /api/resource-access-failures. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "resources.access-failure-evidence.lookup",
        "GET",
        "/api/resource-access-failures/{requestId}",
        "Look up gateway failure evidence by request id",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found"), (404, "resource_access_failure_evidence_not_found")),
        query="resource_access_failures:ResourcesAccessFailureEvidenceLookupQuery",
        response="resource_access_failures:ResourcesAccessFailureEvidenceLookupResponse",
    ),
)
