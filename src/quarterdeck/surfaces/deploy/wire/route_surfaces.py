"""Shapes below /api/route-surfaces. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.actors import Actor
from quarterdeck.surfaces.deploy.wire.scalars import Text

ResourceRefs = Annotated[
    dict[str, Text],
    Meta(
        extra_json_schema={
            "properties": {
                "organizationId": {"type": "string", "minLength": 1},
                "projectId": {"type": "string", "minLength": 1},
                "environmentId": {"type": "string", "minLength": 1},
                "resourceId": {"type": "string", "minLength": 1},
                "serverId": {"type": "string", "minLength": 1},
                "destinationId": {"type": "string", "minLength": 1},
                "deploymentId": {"type": "string", "minLength": 1},
                "domainBindingId": {"type": "string", "minLength": 1},
                "domainId": {"type": "string", "minLength": 1},
                "routeId": {"type": "string", "minLength": 1},
                "staticArtifactId": {"type": "string", "minLength": 1},
            }
        }
    ),
]


class RouteSurfacesRecord(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["route-surface.decision/v1"] = "route-surface.decision/v1"
    id: str | UnsetType = UNSET
    operation_key: str
    decision: Literal["enabled", "skipped", "rejected", "unknown"]
    reason: str
    source: str
    surface_kind: str
    tenant_id: str | UnsetType = UNSET
    account_id: str | UnsetType = UNSET
    organization_id: str | UnsetType = UNSET
    actor: Actor | UnsetType = UNSET
    resource_refs: ResourceRefs | UnsetType = UNSET
    capability_key: str | UnsetType = UNSET
    decided_at: str
    attributes: dict[str, Any] | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class RouteSurfacesListQuery(Struct, kw_only=True, rename="camel"):
    tenant_id: Text | UnsetType = UNSET
    account_id: Text | UnsetType = UNSET
    organization_id: Text | UnsetType = UNSET
    operation_key: Text | UnsetType = UNSET
    capability_key: Text | UnsetType = UNSET
    source: Text | UnsetType = UNSET
    surface_kind: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class RouteSurfacesListResponse(Struct, kw_only=True, rename="camel"):
    records: list[RouteSurfacesRecord]


class RouteSurfacesRecordBody(Struct, kw_only=True, rename="camel"):
    operation_key: Text
    actor: Actor | UnsetType = UNSET
    tenant_id: Text | UnsetType = UNSET
    account_id: Text | UnsetType = UNSET
    organization_id: Text | UnsetType = UNSET
    resource_refs: ResourceRefs | UnsetType = UNSET
    capability_key: Text | UnsetType = UNSET
    source: Text
    surface_kind: Text
    attributes: dict[str, Any] | UnsetType = UNSET


class RouteSurfacesRecordResponseResult(Struct, kw_only=True, rename="camel"):
    operation_key: str
    decision: Literal["enabled", "skipped", "rejected", "unknown"]
    allowed: bool
    reason: str
    source: str
    surface_kind: str
    record: RouteSurfacesRecord | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class RouteSurfacesRecordResponse(Struct, kw_only=True, rename="camel"):
    result: RouteSurfacesRecordResponseResult
