"""Operations below /api/bootstrap. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "auth.bootstrap-status",
        "GET",
        "/api/bootstrap/auth/status",
        "Tell whether the first administrator still has to be created and which login methods work",
        auth="public",
        status=200,
        errors=(),
        response="bootstrap:AuthBootstrapStatusResponse",
    ),
    Operation(
        "auth.bootstrap-first-admin",
        "POST",
        "/api/bootstrap/auth/first-admin",
        "Create the first administrator plus initial organization, once only",
        auth="public",
        status=201,
        errors=((400, "validation_error"), (404, "first_admin_bootstrap_disabled")),
        body="bootstrap:AuthBootstrapFirstAdminBody",
        response="bootstrap:AuthBootstrapFirstAdminResponse",
        body_required=True,
    ),
)
