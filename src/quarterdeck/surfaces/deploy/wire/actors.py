"""Shapes that several rooms share. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text


class Actor(Struct, kw_only=True, rename="camel"):
    kind: Text | UnsetType = UNSET
    id: Text | UnsetType = UNSET
    user_id: Text | UnsetType = UNSET
    email: Text | UnsetType = UNSET


ResourceRefs2 = Annotated[
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
            }
        }
    ),
]
