"""Operations below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "resources.list-dependency-bindings",
        "GET",
        "/api/resources/{resourceId}/dependency-bindings",
        "List dependency bindings",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        response="resources:ResourcesListDependencyBindingsResponse",
    ),
    Operation(
        "resources.bind-dependency",
        "POST",
        "/api/resources/{resourceId}/dependency-bindings",
        "Bind a dependency to a resource",
        auth="session:admin",
        status=201,
        errors=(
            (400, "validation_error"),
            (400, "resource_dependency_binding_context_mismatch"),
            (404, "not_found"),
            (409, "conflict"),
            (409, "resource_archived"),
        ),
        body="resources:ResourcesBindDependencyBody",
        response="resources:ResourcesBindDependencyResponse",
        body_required=True,
    ),
    Operation(
        "resources.show-dependency-binding",
        "GET",
        "/api/resources/{resourceId}/dependency-bindings/{bindingId}",
        "Read a dependency binding",
        auth="session:member",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        response="resources:ResourcesShowDependencyBindingResponse",
    ),
    Operation(
        "resources.unbind-dependency",
        "DELETE",
        "/api/resources/{resourceId}/dependency-bindings/{bindingId}",
        "Remove a dependency binding",
        auth="session:admin",
        status=200,
        errors=((400, "validation_error"), (404, "not_found")),
        response="resources:ResourcesUnbindDependencyResponse",
    ),
    Operation(
        "resources.rotate-dependency-binding-secret",
        "POST",
        "/api/resources/{resourceId}/dependency-bindings/{bindingId}/secret-rotations",
        "Replace the secret used by a binding",
        auth="session:admin",
        status=200,
        errors=((400, "validation_error"), (404, "not_found"), (409, "resource_dependency_binding_rotation_blocked")),
        body="resources:ResourcesRotateDependencyBindingSecretBody",
        response="resources:ResourcesRotateDependencyBindingSecretResponse",
        body_required=True,
    ),
)
