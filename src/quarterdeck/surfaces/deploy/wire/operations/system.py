"""Operations below /api/system. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "system.doctor",
        "GET",
        "/api/system/doctor",
        "Report readiness and environment facts",
        auth="session:member",
        status=200,
        errors=(),
        response="system:SystemDoctorResponse",
    ),
)
