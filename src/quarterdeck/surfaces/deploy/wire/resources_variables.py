"""Shapes below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.deploy.wire.scalars import Text


class ResourcesSetVariableBody(Struct, kw_only=True, rename="camel"):
    key: Text
    value: str
    kind: Literal["plain-config", "secret", "provider-specific", "deployment-strategy"] = "plain-config"
    exposure: Literal["build-time", "runtime"]
    is_secret: bool | UnsetType = UNSET


class ResourcesImportVariablesBody(Struct, kw_only=True, rename="camel"):
    content: Text
    exposure: Literal["build-time", "runtime"]
    secret_keys: list[Text] = field(default_factory=list)
    plain_keys: list[Text] = field(default_factory=list)


class ResourcesImportVariablesResponseImportedEntriesItem(Struct, kw_only=True, rename="camel"):
    key: str
    value: str
    exposure: Literal["build-time", "runtime"]
    kind: Literal["plain-config", "secret"]
    is_secret: bool
    action: Literal["created", "replaced"]
    source_line: Annotated[int, Meta(gt=0)]


class ResourcesImportVariablesResponseDuplicateOverridesItem(Struct, kw_only=True, rename="camel"):
    key: str
    exposure: Literal["build-time", "runtime"]
    first_line: Annotated[int, Meta(gt=0)]
    last_line: Annotated[int, Meta(gt=0)]
    rule: Literal["last-wins"] = "last-wins"


class ResourcesImportVariablesResponseExistingOverridesItem(Struct, kw_only=True, rename="camel"):
    key: str
    exposure: Literal["build-time", "runtime"]
    previous_scope: Literal["resource"] = "resource"
    rule: Literal["resource-entry-replaced"] = "resource-entry-replaced"


class ResourcesImportVariablesResponse(Struct, kw_only=True, rename="camel"):
    resource_id: str
    imported_entries: list[ResourcesImportVariablesResponseImportedEntriesItem]
    duplicate_overrides: list[ResourcesImportVariablesResponseDuplicateOverridesItem]
    existing_overrides: list[ResourcesImportVariablesResponseExistingOverridesItem]


class ResourcesUnsetVariableBody(Struct, kw_only=True, rename="camel"):
    exposure: Literal["build-time", "runtime"]
