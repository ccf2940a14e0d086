"""Shapes below /api/source-links. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text


class SourceLinksItem(Struct, kw_only=True, rename="camel"):
    source_fingerprint: str
    project_id: str
    environment_id: str
    resource_id: str
    server_id: str | UnsetType = UNSET
    destination_id: str | UnsetType = UNSET
    updated_at: str
    reason: str | UnsetType = UNSET


class SourceLinksListQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    server_id: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=200)] = 50


class SourceLinksListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["source-links.list/v1"] = "source-links.list/v1"
    items: list[SourceLinksItem]


class SourceLinksShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["source-links.show/v1"] = "source-links.show/v1"
    source_link: SourceLinksItem


class SourceLinksDeleteBody(Struct, kw_only=True, rename="camel"):
    reason: Text | UnsetType = UNSET


class SourceLinksDeleteResponse(Struct, kw_only=True, rename="camel"):
    source_fingerprint: str
    deleted: bool


class SourceLinksRelinkBody(Struct, kw_only=True, rename="camel"):
    source_fingerprint: Text
    project_id: Text
    environment_id: Text
    resource_id: Text
    server_id: Text | UnsetType = UNSET
    destination_id: Text | UnsetType = UNSET
    expected_current_project_id: Text | UnsetType = UNSET
    expected_current_environment_id: Text | UnsetType = UNSET
    expected_current_resource_id: Text | UnsetType = UNSET
    reason: Text | UnsetType = UNSET


class SourceLinksRelinkResponse(Struct, kw_only=True, rename="camel"):
    source_fingerprint: str
    project_id: str
    environment_id: str
    resource_id: str
    server_id: str | UnsetType = UNSET
    destination_id: str | UnsetType = UNSET
