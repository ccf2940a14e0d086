"""Shapes below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.resources_shapes import Log
from quarterdeck.surfaces.deploy.wire.runtime import Error
from quarterdeck.surfaces.deploy.wire.scalars import Text


class ResourcesRuntimeLogsQuery(Struct, kw_only=True, rename="camel"):
    deployment_id: Text | UnsetType = UNSET
    service_name: Text | UnsetType = UNSET
    tail_lines: Annotated[int, Meta(ge=0, le=1000)] = 100
    since: Text | UnsetType = UNSET
    cursor: Text | UnsetType = UNSET
    follow: bool | UnsetType = UNSET


class ResourcesRuntimeLogsResponse(Struct, kw_only=True, rename="camel"):
    resource_id: str
    deployment_id: str | UnsetType = UNSET
    logs: list[Log]


class ResourcesRuntimeLogsStreamQuery(Struct, kw_only=True, rename="camel"):
    deployment_id: Text | UnsetType = UNSET
    service_name: Text | UnsetType = UNSET
    tail_lines: Annotated[int, Meta(ge=0, le=1000)] = 100
    since: Text | UnsetType = UNSET
    cursor: Text | UnsetType = UNSET
    follow: bool | UnsetType = UNSET


class ResourcesRuntimeLogsStreamResponseLine(Struct, kw_only=True, rename="camel", tag_field="kind", tag="line"):
    line: Log


class ResourcesRuntimeLogsStreamResponseHeartbeat(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="heartbeat"
):
    at: str


class ResourcesRuntimeLogsStreamResponseClosed(Struct, kw_only=True, rename="camel", tag_field="kind", tag="closed"):
    reason: Literal["completed", "cancelled", "source-ended"]


class ResourcesRuntimeLogsStreamResponseError(Struct, kw_only=True, rename="camel", tag_field="kind", tag="error"):
    error: Error


ResourcesRuntimeLogsStreamResponse = (
    ResourcesRuntimeLogsStreamResponseLine
    | ResourcesRuntimeLogsStreamResponseHeartbeat
    | ResourcesRuntimeLogsStreamResponseClosed
    | ResourcesRuntimeLogsStreamResponseError
)


class ResourcesRuntimeLogsStreamDone(Struct, kw_only=True, rename="camel"):
    resource_id: str
    deployment_id: str | UnsetType = UNSET
