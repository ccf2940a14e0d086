"""Operations below /api/preview-environments. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "preview-environments.list",
        "GET",
        "/api/preview-environments",
        "List preview environments",
        auth="session:member",
        status=200,
        errors=(),
        query="preview_environments:PreviewEnvironmentsListQuery",
        response="preview_environments:PreviewEnvironmentsListResponse",
    ),
    Operation(
        "preview-environments.show",
        "GET",
        "/api/preview-environments/{previewEnvironmentId}",
        "Read a preview environment",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        query="preview_environments:PreviewEnvironmentsShowQuery",
        response="preview_environments:PreviewEnvironmentsShowResponse",
    ),
)
