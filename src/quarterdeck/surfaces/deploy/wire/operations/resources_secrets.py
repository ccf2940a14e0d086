"""Operations below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "resources.secrets.list",
        "GET",
        "/api/resources/{resourceId}/secrets",
        "List secret references, masked",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        query="resources:ResourcesSecretsListQuery",
        response="resources:ResourcesSecretsListResponse",
    ),
    Operation(
        "resources.secrets.create",
        "POST",
        "/api/resources/{resourceId}/secrets",
        "Create a secret reference",
        auth="session:admin",
        status=201,
        errors=((400, "validation_error"), (404, "not_found"), (409, "conflict"), (409, "resource_archived")),
        body="resources:ResourcesSecretsCreateBody",
        response="resources_shapes:ResourcesSecretsCreateResponse",
        body_required=True,
    ),
    Operation(
        "resources.secrets.show",
        "GET",
        "/api/resources/{resourceId}/secrets/{key}",
        "Read a secret reference, masked",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        query="resources:ResourcesSecretsShowQuery",
        response="resources:ResourcesSecretsShowResponse",
    ),
    Operation(
        "resources.secrets.rotate",
        "POST",
        "/api/resources/{resourceId}/secrets/{key}",
        "Replace a secret value",
        auth="session:admin",
        status=200,
        errors=((400, "validation_error"), (404, "not_found"), (409, "resource_archived")),
        body="resources:ResourcesSecretsRotateBody",
        response="resources:ResourcesSecretsRotateResponse",
        body_required=True,
    ),
    Operation(
        "resources.secrets.delete",
        "DELETE",
        "/api/resources/{resourceId}/secrets/{key}",
        "Delete a secret reference",
        auth="session:admin",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        body="resources:ResourcesSecretsDeleteBody",
        response="resources:ResourcesSecretsDeleteResponse",
    ),
)
