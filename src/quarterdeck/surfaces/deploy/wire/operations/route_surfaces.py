"""Operations below /api/route-surfaces. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "route-surfaces.list",
        "GET",
        "/api/route-surfaces",
        "List route surface records",
        auth="session:member",
        status=200,
        errors=(),
        query="route_surfaces:RouteSurfacesListQuery",
        response="route_surfaces:RouteSurfacesListResponse",
    ),
    Operation(
        "route-surfaces.record",
        "POST",
        "/api/route-surfaces",
        "Store one route surface record",
        auth="session:admin",
        status=202,
        errors=(),
        body="route_surfaces:RouteSurfacesRecordBody",
        response="route_surfaces:RouteSurfacesRecordResponse",
        body_required=True,
    ),
)
