"""Shapes below /api/deploy-tokens. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text


class DeployTokensScope(Struct, kw_only=True, rename="camel"):
    deployment_target_ids: list[str]
    environment_ids: list[str]
    project_ids: list[str]
    repository_full_names: list[str]
    resource_ids: list[str]
    workflow_commands: list[Literal["source-link-deploy", "server-config-deploy", "preview-cleanup"]]


class DeployTokensItem(Struct, kw_only=True, rename="camel"):
    token_id: str
    organization_id: str
    display_name: str
    status: Literal["active", "revoked"]
    secret_suffix: str
    scope: DeployTokensScope
    created_at: str
    expires_at: str | UnsetType = UNSET
    last_used_at: str | UnsetType = UNSET
    rotated_at: str | UnsetType = UNSET
    revoked_at: str | UnsetType = UNSET


class DeployTokensListQuery(Struct, kw_only=True, rename="camel"):
    organization_id: Text
    status: Literal["active", "revoked"] | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    repository_full_name: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=100)] | UnsetType = UNSET


class DeployTokensListResponse(Struct, kw_only=True, rename="camel"):
    items: list[DeployTokensItem]


class DeployTokensCreateBodyScope(Struct, kw_only=True, rename="camel"):
    deployment_target_ids: list[Text] | UnsetType = UNSET
    environment_ids: list[Text] | UnsetType = UNSET
    project_ids: list[Text] | UnsetType = UNSET
    repository_full_names: list[Text] | UnsetType = UNSET
    resource_ids: list[Text] | UnsetType = UNSET
    workflow_commands: Annotated[
        list[Literal["preview-cleanup", "server-config-deploy", "source-link-deploy"]], Meta(min_length=1)
    ]


class DeployTokensCreateBody(Struct, kw_only=True, rename="camel"):
    organization_id: Text
    display_name: Text
    scope: DeployTokensCreateBodyScope
    expires_at: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class DeployTokensCreateResponse(Struct, kw_only=True, rename="camel"):
    token_id: str
    token: str
    organization_id: str
    display_name: str
    secret_suffix: str
    scopes: DeployTokensScope
    created_at: str
    expires_at: str | UnsetType = UNSET


class DeployTokensShowQuery(Struct, kw_only=True, rename="camel"):
    organization_id: Text


DeployTokensShowResponse = DeployTokensItem


class DeployTokensRotateBodyConfirmation(Struct, kw_only=True, rename="camel"):
    token_id: Text


class DeployTokensRotateBody(Struct, kw_only=True, rename="camel"):
    organization_id: Text
    confirmation: DeployTokensRotateBodyConfirmation
    idempotency_key: Text | UnsetType = UNSET


class DeployTokensRotateResponse(Struct, kw_only=True, rename="camel"):
    token_id: str
    token: str
    rotated_at: str
    scopes: DeployTokensScope


class DeployTokensRevokeBodyConfirmation(Struct, kw_only=True, rename="camel"):
    token_id: Text


class DeployTokensRevokeBody(Struct, kw_only=True, rename="camel"):
    organization_id: Text
    confirmation: DeployTokensRevokeBodyConfirmation
    reason: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class DeployTokensRevokeResponse(Struct, kw_only=True, rename="camel"):
    token_id: str
    revoked_at: str
