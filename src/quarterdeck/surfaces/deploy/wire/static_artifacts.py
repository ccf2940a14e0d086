"""Shapes below /api/static-artifacts. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text


class File(Struct, kw_only=True, rename="camel"):
    path_digest: str
    content_digest: str
    size_bytes: float
    mime_type: str


class StaticArtifactsPublishResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["static-artifacts.publish/v1"] = "static-artifacts.publish/v1"
    publication_id: str
    project_id: str
    resource_id: str
    artifact_id: str
    manifest_digest: str
    file_count: float
    total_bytes: float
    files: list[File]
    storage_ref: str
    storage_provider_key: str
    route_url: str | UnsetType = UNSET
    route_provider_key: str | UnsetType = UNSET


class StaticArtifactsPublicationsListQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class StaticArtifactsPublicationsListResponseItemsItem(Struct, kw_only=True, rename="camel"):
    publication_id: str
    project_id: str
    resource_id: str
    artifact_id: str
    manifest_digest: str
    file_count: float
    total_bytes: float
    storage_ref: str
    storage_provider_key: str
    route_url: str | UnsetType = UNSET
    route_provider_key: str | UnsetType = UNSET
    published_at: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class StaticArtifactsPublicationsListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["static-artifacts.publications.list/v1"] = "static-artifacts.publications.list/v1"
    items: list[StaticArtifactsPublicationsListResponseItemsItem]


class StaticArtifactsPublishBody(Struct, kw_only=True, rename="camel"):
    project_id: Text
    resource_id: Text
    source_path: Text
    artifact_id: Text | UnsetType = UNSET
    promote_alias: bool | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class StaticArtifactsPublishArchiveBody(Struct, kw_only=True, rename="camel"):
    project_id: Text
    resource_id: Text
    artifact_id: Text | UnsetType = UNSET
    promote_alias: bool | UnsetType = UNSET
    archive_base64: Text
    metadata: dict[str, str] | UnsetType = UNSET


StaticArtifactsPublishArchiveResponse = StaticArtifactsPublishResponse


class StaticArtifactsPublishPayloadBodyFilesItem(Struct, kw_only=True, rename="camel"):
    path: Text
    mime_type: Text
    content_base64: str


class StaticArtifactsPublishPayloadBody(Struct, kw_only=True, rename="camel"):
    project_id: Text
    resource_id: Text
    artifact_id: Text | UnsetType = UNSET
    promote_alias: bool | UnsetType = UNSET
    files: Annotated[list[StaticArtifactsPublishPayloadBodyFilesItem], Meta(min_length=1)]
    metadata: dict[str, str] | UnsetType = UNSET


StaticArtifactsPublishPayloadResponse = StaticArtifactsPublishResponse
