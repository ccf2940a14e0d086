"""Operations below /api/static-artifacts. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "static-artifacts.publications.list",
        "GET",
        "/api/static-artifacts/publications",
        "List static publications",
        auth="session:member",
        status=200,
        errors=(),
        query="static_artifacts:StaticArtifactsPublicationsListQuery",
        response="static_artifacts:StaticArtifactsPublicationsListResponse",
    ),
    Operation(
        "static-artifacts.publish",
        "POST",
        "/api/static-artifacts/publish",
        "Publish a manifest already reachable by the server",
        auth="session:admin",
        status=201,
        errors=((400, "validation_error"), (404, "not_found")),
        body="static_artifacts:StaticArtifactsPublishBody",
        response="static_artifacts:StaticArtifactsPublishResponse",
        body_required=True,
    ),
    Operation(
        "static-artifacts.publish-archive",
        "POST",
        "/api/static-artifacts/publish-archive",
        "Publish from an uploaded archive",
        auth="session:admin",
        status=201,
        errors=((400, "validation_error"), (404, "not_found")),
        body="static_artifacts:StaticArtifactsPublishArchiveBody",
        response="static_artifacts:StaticArtifactsPublishArchiveResponse",
        body_required=True,
    ),
    Operation(
        "static-artifacts.publish-payload",
        "POST",
        "/api/static-artifacts/publish-payload",
        "Publish from inline file payloads",
        auth="session:admin",
        status=201,
        errors=((400, "validation_error"), (404, "not_found")),
        body="static_artifacts:StaticArtifactsPublishPayloadBody",
        response="static_artifacts:StaticArtifactsPublishPayloadResponse",
        body_required=True,
    ),
)
