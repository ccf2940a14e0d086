"""Operations below /api/plugins. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "system.plugins.list",
        "GET",
        "/api/plugins",
        "List plugins",
        auth="session:member",
        status=200,
        errors=(),
        response="plugins:SystemPluginsListResponse",
    ),
)
