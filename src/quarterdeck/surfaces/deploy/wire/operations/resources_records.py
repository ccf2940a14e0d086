"""Operations below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "resources.list",
        "GET",
        "/api/resources",
        "List resources",
        auth="session:member",
        status=200,
        errors=(),
        query="resources_records:ResourcesListQuery",
        response="resources_records:ResourcesListResponse",
    ),
    Operation(
        "resources.create",
        "POST",
        "/api/resources",
        "Create a deployable resource",
        auth="session:admin",
        status=201,
        errors=(
            (400, "validation_error"),
            (400, "invariant_violation"),
            (400, "resource_context_mismatch"),
            (404, "not_found"),
            (409, "environment_archived"),
            (409, "environment_locked"),
            (409, "project_archived"),
            (409, "resource_slug_conflict"),
        ),
        body="resources_records:ResourcesCreateBody",
        response="resources_records:ResourcesCreateResponse",
        body_required=True,
    ),
    Operation(
        "resources.show",
        "GET",
        "/api/resources/{resourceId}",
        "Read a resource with its profiles",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (400, "resource_network_profile_missing"), (404, "not_found")),
        query="resources_records:ResourcesShowQuery",
        response="resources_records:ResourcesShowResponse",
    ),
    Operation(
        "resources.delete",
        "DELETE",
        "/api/resources/{resourceId}",
        "Delete an archived, unblocked resource",
        auth="session:admin",
        status=200,
        errors=(
            (400, "validation_error"),
            (400, "invariant_violation"),
            (404, "not_found"),
            (409, "resource_delete_blocked"),
        ),
        body="resources_records:ResourcesDeleteBody",
        response="resources_records:ResourcesDeleteResponse",
        body_required=True,
    ),
)
