"""Shapes below /api/integrations. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.extensions import Configuration


class SystemIntegrationsListResponseItemsItemConnectionModesItem(Struct, kw_only=True, rename="camel"):
    key: Literal["user-oauth", "hosted-provider-app", "operator-managed-app"]
    title: str
    audience: Literal["end-user", "instance-admin", "operator"]
    external_setup: Literal["none", "provider-installation", "manual-provider-app"]
    creates_external_resources: bool
    secret_material_required: bool
    description: str | UnsetType = UNSET


class SystemIntegrationsListResponseItemsItemSetupProviderApp(Struct, kw_only=True, rename="camel"):
    install_url: str | UnsetType = UNSET
    callback_url: str | UnsetType = UNSET
    webhook_url: str | UnsetType = UNSET


class SystemIntegrationsListResponseItemsItemSetup(Struct, kw_only=True, rename="camel"):
    provider_app: SystemIntegrationsListResponseItemsItemSetupProviderApp | UnsetType = UNSET


class SystemIntegrationsListResponseItemsItem(Struct, kw_only=True, rename="camel"):
    key: str
    title: str
    capabilities: list[str]
    default_connection_mode_key: str | UnsetType = UNSET
    connection_modes: list[SystemIntegrationsListResponseItemsItemConnectionModesItem] | UnsetType = UNSET
    setup: SystemIntegrationsListResponseItemsItemSetup | UnsetType = UNSET
    configuration: Configuration | UnsetType = UNSET


class SystemIntegrationsListResponse(Struct, kw_only=True, rename="camel"):
    items: list[SystemIntegrationsListResponseItemsItem]


class SystemGithubAppConnectionShowResponse(Struct, kw_only=True, rename="camel"):
    account_login: str | UnsetType = UNSET
    account_type: str | UnsetType = UNSET
    callback_url: str | UnsetType = UNSET
    configuration_status: Literal["configured", "not-configured", "partial", "unknown"]
    connected: bool
    install_url: str | UnsetType = UNSET
    installation_id: str | UnsetType = UNSET
    repository_count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    repositories_selection: Literal["all", "selected"] | UnsetType = UNSET
    suspended_at: str | UnsetType = UNSET
    tenant_id: str
    updated_at: str | UnsetType = UNSET
    webhook_url: str | UnsetType = UNSET


class SystemGithubRepositoriesListQuery(Struct, kw_only=True, rename="camel"):
    search: str | UnsetType = UNSET


class SystemGithubRepositoriesListResponseItemsItem(Struct, kw_only=True, rename="camel"):
    id: str
    name: str
    full_name: str
    owner_login: str
    description: str | UnsetType = UNSET
    private: bool
    default_branch: str
    html_url: str
    clone_url: str
    updated_at: str


class SystemGithubRepositoriesListResponse(Struct, kw_only=True, rename="camel"):
    items: list[SystemGithubRepositoriesListResponseItemsItem]


SourceEventsIngestBody = dict[str, Any]


class SourceEventsIngestResponse(Struct, kw_only=True, rename="camel"):
    source_event_id: str
    status: Literal["accepted", "deduped", "ignored", "blocked", "dispatched", "failed"]
    matched_resource_ids: list[str]
    created_deployment_ids: list[str]
    ignored_reasons: list[Literal["no-matching-policy", "ref-not-matched", "policy-disabled", "policy-blocked"]]
    dedupe_of_source_event_id: str | UnsetType = UNSET
