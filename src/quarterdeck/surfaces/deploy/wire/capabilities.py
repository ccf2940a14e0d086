"""Shapes below /api/capabilities. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text


class CapabilitiesQueryBodyQueriesItem(Struct, kw_only=True, rename="camel"):
    operation_key: Text
    organization_id: Text | UnsetType = UNSET
    resource_refs: (
        Annotated[
            dict[str, Text],
            Meta(
                extra_json_schema={
                    "properties": {
                        "projectId": {"type": "string", "minLength": 1},
                        "environmentId": {"type": "string", "minLength": 1},
                        "resourceId": {"type": "string", "minLength": 1},
                        "serverId": {"type": "string", "minLength": 1},
                        "destinationId": {"type": "string", "minLength": 1},
                        "deploymentId": {"type": "string", "minLength": 1},
                        "dependencyResourceId": {"type": "string", "minLength": 1},
                        "storageVolumeId": {"type": "string", "minLength": 1},
                    }
                }
            ),
        ]
        | UnsetType
    ) = UNSET


class CapabilitiesQueryBody(Struct, kw_only=True, rename="camel"):
    queries: Annotated[list[CapabilitiesQueryBodyQueriesItem], Meta(min_length=1, max_length=100)]


class CapabilitiesQueryResponseCapabilitiesItem(Struct, kw_only=True, rename="camel"):
    operation_key: str
    allowed: bool
    mode: Literal["unrestricted", "constrained", "denied"]
    hint: str
    reason: str
    details: dict[str, Any] | UnsetType = UNSET


class CapabilitiesQueryResponse(Struct, kw_only=True, rename="camel"):
    capabilities: list[CapabilitiesQueryResponseCapabilitiesItem]
