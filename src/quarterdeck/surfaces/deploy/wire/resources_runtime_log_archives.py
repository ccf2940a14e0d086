"""Shapes below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.resources_shapes import Archive
from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text


class ResourcesRuntimeLogsArchiveBody(Struct, kw_only=True, rename="camel"):
    deployment_id: Text | UnsetType = UNSET
    service_name: Text | UnsetType = UNSET
    tail_lines: Annotated[int, Meta(ge=1, le=1000)] = 100
    since: Text | UnsetType = UNSET
    cursor: Text | UnsetType = UNSET
    reason: Text | UnsetType = UNSET


class ResourcesRuntimeLogsArchiveResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.runtime-logs.archive/v1"] = "resources.runtime-logs.archive/v1"
    archive: Archive


class ResourcesRuntimeLogArchivesListQuery(Struct, kw_only=True, rename="camel"):
    resource_id: Text | UnsetType = UNSET
    deployment_id: Text | UnsetType = UNSET
    server_id: Text | UnsetType = UNSET
    service_name: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=100)] = 50
    cursor: Text | UnsetType = UNSET


class ResourcesRuntimeLogArchivesListResponseItemsItem(Struct, kw_only=True, rename="camel"):
    archive_id: str
    resource_id: str
    deployment_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    service_name: str | UnsetType = UNSET
    runtime_kind: str | UnsetType = UNSET
    captured_at: str
    line_count: float
    retention_status: Literal["retained"] = "retained"
    reason: str | UnsetType = UNSET


class ResourcesRuntimeLogArchivesListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.runtime-log-archives.list/v1"] = "resources.runtime-log-archives.list/v1"
    items: list[ResourcesRuntimeLogArchivesListResponseItemsItem]
    next_cursor: str | UnsetType = UNSET
    generated_at: str


class ResourcesRuntimeLogArchivesShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.runtime-log-archives.show/v1"] = "resources.runtime-log-archives.show/v1"
    archive: Archive


class ResourcesRuntimeLogArchivesPruneBody(Struct, kw_only=True, rename="camel"):
    before: DateTime
    resource_id: Text | UnsetType = UNSET
    deployment_id: Text | UnsetType = UNSET
    server_id: Text | UnsetType = UNSET
    service_name: Text | UnsetType = UNSET
    dry_run: bool = True


class ResourcesRuntimeLogArchivesPruneResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.runtime-log-archives.prune/v1"] = "resources.runtime-log-archives.prune/v1"
    before: str
    resource_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    service_name: str | UnsetType = UNSET
    dry_run: bool
    matched_count: float
    pruned_count: float
    affected_resource_count: float
    pruned_at: str
