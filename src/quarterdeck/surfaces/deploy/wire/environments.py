"""Shapes below /api/environments. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text
from quarterdeck.surfaces.deploy.wire.variables import MaskedVariable, OwnedEntrie


class EnvironmentsItem(Struct, kw_only=True, rename="camel"):
    id: str
    project_id: str
    name: str
    kind: Literal["local", "development", "test", "staging", "production", "preview", "custom"]
    parent_environment_id: str | UnsetType = UNSET
    lifecycle_status: Literal["active", "locked", "archived"]
    locked_at: str | UnsetType = UNSET
    lock_reason: str | UnsetType = UNSET
    archived_at: str | UnsetType = UNSET
    archive_reason: str | UnsetType = UNSET
    created_at: str
    masked_variables: list[MaskedVariable]


class EnvironmentsCountQuery(Struct, kw_only=True, rename="camel"):
    project_id: str | UnsetType = UNSET


class EnvironmentsCountResponse(Struct, kw_only=True, rename="camel"):
    count: Annotated[int, Meta(ge=0)]


class EnvironmentsListQuery(Struct, kw_only=True, rename="camel"):
    project_id: str | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class EnvironmentsListResponse(Struct, kw_only=True, rename="camel"):
    items: list[EnvironmentsItem]


class EnvironmentsCreateBody(Struct, kw_only=True, rename="camel"):
    project_id: Text
    name: Text
    kind: Literal["local", "development", "test", "staging", "production", "preview", "custom"]
    parent_environment_id: str | UnsetType = UNSET


class EnvironmentsCreateResponse(Struct, kw_only=True, rename="camel"):
    id: str


EnvironmentsShowResponse = EnvironmentsItem


class EnvironmentsLockBody(Struct, kw_only=True, rename="camel"):
    reason: Annotated[str, Meta(min_length=1, max_length=280)] | UnsetType = UNSET


class EnvironmentsLockResponse(Struct, kw_only=True, rename="camel"):
    id: str


class EnvironmentsUnlockResponse(Struct, kw_only=True, rename="camel"):
    id: str


class EnvironmentsArchiveBody(Struct, kw_only=True, rename="camel"):
    reason: Annotated[str, Meta(min_length=1, max_length=280)] | UnsetType = UNSET


class EnvironmentsArchiveResponse(Struct, kw_only=True, rename="camel"):
    id: str


class EnvironmentsCloneBody(Struct, kw_only=True, rename="camel"):
    target_name: Text
    target_kind: Literal["local", "development", "test", "staging", "production", "preview", "custom"] | UnsetType = (
        UNSET
    )


class EnvironmentsCloneResponse(Struct, kw_only=True, rename="camel"):
    id: str


class EnvironmentsRenameBody(Struct, kw_only=True, rename="camel"):
    name: Text


class EnvironmentsRenameResponse(Struct, kw_only=True, rename="camel"):
    id: str


class EnvironmentsSetVariableBody(Struct, kw_only=True, rename="camel"):
    key: Text
    value: str
    kind: Literal["plain-config", "secret", "provider-specific", "deployment-strategy"]
    exposure: Literal["build-time", "runtime"]
    scope: (
        Literal["defaults", "system", "organization", "project", "environment", "resource", "deployment"] | UnsetType
    ) = UNSET
    is_secret: bool | UnsetType = UNSET


class EnvironmentsUnsetVariableBody(Struct, kw_only=True, rename="camel"):
    exposure: Literal["build-time", "runtime"]
    scope: (
        Literal["defaults", "system", "organization", "project", "environment", "resource", "deployment"] | UnsetType
    ) = UNSET


class EnvironmentsEffectivePrecedenceResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["environments.effective-precedence/v1"] = "environments.effective-precedence/v1"
    environment_id: str
    project_id: str
    owned_entries: list[OwnedEntrie]
    effective_entries: list[OwnedEntrie]
    precedence: list[str]
    generated_at: str


class EnvironmentsPromoteBody(Struct, kw_only=True, rename="camel"):
    target_name: Text
    target_kind: Literal["local", "development", "test", "staging", "production", "preview", "custom"]


class EnvironmentsPromoteResponse(Struct, kw_only=True, rename="camel"):
    id: str


class EnvironmentsDiffResponseItem(Struct, kw_only=True, rename="camel"):
    key: str
    exposure: Literal["build-time", "runtime"]
    left: MaskedVariable | UnsetType = UNSET
    right: MaskedVariable | UnsetType = UNSET
    change: Literal["added", "removed", "changed", "unchanged"]


EnvironmentsDiffResponse = list[EnvironmentsDiffResponseItem]
