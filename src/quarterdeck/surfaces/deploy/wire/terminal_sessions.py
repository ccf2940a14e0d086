"""Shapes below /api/terminal-sessions. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text
from quarterdeck.surfaces.deploy.wire.usage import RuntimeMonitoringThresholdsScope2


class TerminalSessionsItemTransport(Struct, kw_only=True, rename="camel"):
    kind: Literal["websocket"] = "websocket"
    path: str


class TerminalSessionsItem(Struct, kw_only=True, rename="camel"):
    session_id: str
    scope: Literal["server", "resource"]
    server_id: str
    resource_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET
    transport: TerminalSessionsItemTransport
    provider_key: str
    working_directory: str | UnsetType = UNSET
    created_at: str
    status: Literal["active", "closing"]


class TerminalSessionsListQuery(Struct, kw_only=True, rename="camel"):
    scope: Literal["server", "resource"] | UnsetType = UNSET
    server_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    deployment_id: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=200)] | UnsetType = UNSET


class TerminalSessionsListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["terminal-sessions.list/v1"] = "terminal-sessions.list/v1"
    items: list[TerminalSessionsItem]


class TerminalSessionsOpenBodyScopeResource(Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"):
    resource_id: Text
    deployment_id: Text | UnsetType = UNSET


class TerminalSessionsOpenBody(Struct, kw_only=True, rename="camel"):
    scope: RuntimeMonitoringThresholdsScope2 | TerminalSessionsOpenBodyScopeResource
    relative_directory: Annotated[str, Meta(min_length=1, max_length=512)] | UnsetType = UNSET
    initial_rows: Annotated[int, Meta(ge=10, le=120)] = 24
    initial_cols: Annotated[int, Meta(ge=20, le=320)] = 80


class TerminalSessionsOpenResponseTransport(Struct, kw_only=True, rename="camel"):
    kind: Literal["websocket"] = "websocket"
    path: str


class TerminalSessionsOpenResponse(Struct, kw_only=True, rename="camel"):
    session_id: str
    scope: Literal["server", "resource"]
    server_id: str
    resource_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET
    transport: TerminalSessionsOpenResponseTransport
    provider_key: str
    working_directory: str | UnsetType = UNSET
    created_at: str


class TerminalSessionsShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["terminal-sessions.show/v1"] = "terminal-sessions.show/v1"
    item: TerminalSessionsItem


class TerminalSessionsCloseResponse(Struct, kw_only=True, rename="camel"):
    session_id: str
    closed: bool
    status: Literal["closed"] = "closed"


class TerminalSessionsExpireBody(Struct, kw_only=True, rename="camel"):
    older_than: DateTime | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=200)] | Annotated[str, Meta(pattern="^\\d+$")] | UnsetType = UNSET


class TerminalSessionsExpireResponse(Struct, kw_only=True, rename="camel"):
    expired_count: Annotated[int, Meta(ge=0)]
    session_ids: list[str]
