"""Shapes below /api/preview-environments. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text


class PreviewEnvironmentsSource(Struct, kw_only=True, rename="camel"):
    provider: Literal["github"] = "github"
    repository_full_name: str
    head_repository_full_name: str
    pull_request_number: Annotated[int, Meta(gt=0)]
    base_ref: str
    head_sha: str
    source_binding_fingerprint: str


class PreviewEnvironmentsItem(Struct, kw_only=True, rename="camel"):
    preview_environment_id: str
    project_id: str
    environment_id: str
    resource_id: str
    server_id: str
    destination_id: str
    source: PreviewEnvironmentsSource
    status: Literal["active", "cleanup-requested"]
    created_at: str
    updated_at: str
    expires_at: str | UnsetType = UNSET


class PreviewEnvironmentsListQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    environment_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    status: Literal["active", "cleanup-requested"] | UnsetType = UNSET
    repository_full_name: Text | UnsetType = UNSET
    pull_request_number: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=100)] | UnsetType = UNSET
    cursor: Text | UnsetType = UNSET


class PreviewEnvironmentsListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["preview-environments.list/v1"] = "preview-environments.list/v1"
    items: list[PreviewEnvironmentsItem]
    next_cursor: str | UnsetType = UNSET
    generated_at: str


class PreviewEnvironmentsShowQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET


class PreviewEnvironmentsShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["preview-environments.show/v1"] = "preview-environments.show/v1"
    preview_environment: PreviewEnvironmentsItem
    generated_at: str
