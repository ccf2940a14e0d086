"""Shapes below /api/projects. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text


class ProjectsItem(Struct, kw_only=True, rename="camel"):
    id: str
    organization_id: str | UnsetType = UNSET
    name: str
    slug: str
    description: str | UnsetType = UNSET
    lifecycle_status: Literal["active", "archived"]
    archived_at: str | UnsetType = UNSET
    archive_reason: str | UnsetType = UNSET
    created_at: str


class ProjectsCountResponse(Struct, kw_only=True, rename="camel"):
    count: Annotated[int, Meta(ge=0)]


class ProjectsListQuery(Struct, kw_only=True, rename="camel"):
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class ProjectsListResponse(Struct, kw_only=True, rename="camel"):
    items: list[ProjectsItem]


class ProjectsCreateBody(Struct, kw_only=True, rename="camel"):
    name: Text
    organization_id: Text | UnsetType = UNSET
    description: str | UnsetType = UNSET


class ProjectsCreateResponse(Struct, kw_only=True, rename="camel"):
    id: str


ProjectsShowResponse = ProjectsItem


class ProjectsDeleteBodyConfirmation(Struct, kw_only=True, rename="camel"):
    project_id: Text


class ProjectsDeleteBody(Struct, kw_only=True, rename="camel"):
    confirmation: ProjectsDeleteBodyConfirmation
    idempotency_key: Text | UnsetType = UNSET


class ProjectsDeleteResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ProjectsRenameBody(Struct, kw_only=True, rename="camel"):
    name: Text


class ProjectsRenameResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ProjectsSetDescriptionBody(Struct, kw_only=True, rename="camel"):
    description: str | UnsetType = UNSET


class ProjectsSetDescriptionResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ProjectsArchiveBody(Struct, kw_only=True, rename="camel"):
    reason: Annotated[str, Meta(min_length=1, max_length=280)] | UnsetType = UNSET


class ProjectsArchiveResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ProjectsRestoreResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ProjectsDeleteCheckResponseBlockersItem(Struct, kw_only=True, rename="camel"):
    kind: Literal[
        "active-project",
        "environment",
        "resource",
        "deployment-history",
        "domain-binding",
        "certificate",
        "source-link",
        "source-event",
        "dependency-resource",
        "storage-volume",
        "scheduled-task",
        "preview-environment",
        "runtime-monitoring",
        "runtime-log-retention",
        "provider-job-log",
        "domain-event-retention",
        "audit-retention",
    ]
    related_entity_id: str | UnsetType = UNSET
    related_entity_type: str | UnsetType = UNSET
    count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class ProjectsDeleteCheckResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["projects.delete-check/v1"] = "projects.delete-check/v1"
    project_id: str
    lifecycle_status: Literal["active", "archived"]
    eligible: bool
    blockers: list[ProjectsDeleteCheckResponseBlockersItem]
    checked_at: str
