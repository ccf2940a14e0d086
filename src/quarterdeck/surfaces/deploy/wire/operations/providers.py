"""Operations below /api/providers. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "system.providers.list",
        "GET",
        "/api/providers",
        "List registered providers",
        auth="session:member",
        status=200,
        errors=(),
        response="providers:SystemProvidersListResponse",
    ),
)
