"""Shapes below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.resources_shapes import (
    AccessProfile,
    AccessSummary,
    HealthCheck,
    LatestRuntimeControl,
    NetworkProfile,
    NetworkProfile2,
    ResourcesSource,
    ResourceValue,
    Service,
)
from quarterdeck.surfaces.deploy.wire.runtime import HealthCheck2, ResourcesKind
from quarterdeck.surfaces.deploy.wire.scalars import Text


class ResourcesListQuery(Struct, kw_only=True, rename="camel"):
    project_id: str | UnsetType = UNSET
    environment_id: str | UnsetType = UNSET
    include_preview_resources: bool | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class ResourcesListResponseItemsItem(Struct, kw_only=True, rename="camel"):
    id: str
    project_id: str
    environment_id: str
    destination_id: str | UnsetType = UNSET
    name: str
    slug: str
    kind: Literal["application", "service", "database", "cache", "compose-stack", "worker", "static-site", "external"]
    description: str | UnsetType = UNSET
    created_at: str
    services: list[Service]
    network_profile: NetworkProfile | UnsetType = UNSET
    access_profile: AccessProfile | UnsetType = UNSET
    deployment_count: float
    last_deployment_id: str | UnsetType = UNSET
    last_deployment_status: (
        Literal[
            "created",
            "planning",
            "planned",
            "running",
            "cancel-requested",
            "succeeded",
            "failed",
            "canceled",
            "rolled-back",
        ]
        | UnsetType
    ) = UNSET
    latest_runtime_control: LatestRuntimeControl | UnsetType = UNSET
    access_summary: AccessSummary | UnsetType = UNSET


class ResourcesListResponse(Struct, kw_only=True, rename="camel"):
    items: list[ResourcesListResponseItemsItem]


class ResourcesCreateBodyServicesItem(Struct, kw_only=True, rename="camel"):
    name: Text
    kind: Literal["web", "api", "worker", "database", "cache", "service"]


class ResourcesCreateBodyRuntimeProfile(Struct, kw_only=True, rename="camel"):
    strategy: Literal["auto", "dockerfile", "docker-compose", "prebuilt-image", "workspace-commands", "static"] = "auto"
    install_command: Text | UnsetType = UNSET
    build_command: Text | UnsetType = UNSET
    start_command: Text | UnsetType = UNSET
    runtime_name: Text | UnsetType = UNSET
    publish_directory: Text | UnsetType = UNSET
    dockerfile_path: Text | UnsetType = UNSET
    docker_compose_file_path: Text | UnsetType = UNSET
    build_target: Text | UnsetType = UNSET
    health_check_path: Text | UnsetType = UNSET
    health_check: HealthCheck | UnsetType = UNSET


class ResourcesCreateBody(Struct, kw_only=True, rename="camel"):
    project_id: Text
    environment_id: Text
    destination_id: Text | UnsetType = UNSET
    name: Text
    kind: Literal[
        "application", "service", "database", "cache", "compose-stack", "worker", "static-site", "external"
    ] = "application"
    description: Text | UnsetType = UNSET
    services: list[ResourcesCreateBodyServicesItem] | UnsetType = UNSET
    source: ResourcesSource | UnsetType = UNSET
    runtime_profile: ResourcesCreateBodyRuntimeProfile | UnsetType = UNSET
    network_profile: NetworkProfile2 | UnsetType = UNSET


class ResourcesCreateResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesShowQuery(Struct, kw_only=True, rename="camel"):
    include_latest_deployment: bool | UnsetType = UNSET
    include_access_summary: bool | UnsetType = UNSET
    include_profile_diagnostics: bool | UnsetType = UNSET


class ResourcesShowResponseResource(Struct, kw_only=True, rename="camel"):
    id: str
    project_id: str
    environment_id: str
    destination_id: str | UnsetType = UNSET
    name: str
    slug: str
    kind: Literal["application", "service", "database", "cache", "compose-stack", "worker", "static-site", "external"]
    description: str | UnsetType = UNSET
    created_at: str
    services: list[Service]
    deployment_count: float
    last_deployment_id: str | UnsetType = UNSET
    last_deployment_status: (
        Literal[
            "created",
            "planning",
            "planned",
            "running",
            "cancel-requested",
            "succeeded",
            "failed",
            "canceled",
            "rolled-back",
        ]
        | UnsetType
    ) = UNSET


class ResourcesShowResponseSource(Struct, kw_only=True, rename="camel"):
    kind: ResourcesKind
    locator: str
    display_name: str
    source_binding_fingerprint: str
    git_ref: str | UnsetType = UNSET
    commit_sha: str | UnsetType = UNSET
    base_directory: str | UnsetType = UNSET
    original_locator: str | UnsetType = UNSET
    repository_id: str | UnsetType = UNSET
    repository_full_name: str | UnsetType = UNSET
    default_branch: str | UnsetType = UNSET
    image_name: str | UnsetType = UNSET
    image_tag: str | UnsetType = UNSET
    image_digest: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class ResourcesShowResponseAutoDeployPolicy(Struct, kw_only=True, rename="camel"):
    status: Literal["enabled", "disabled", "blocked"]
    trigger_kind: Literal["git-push", "generic-signed-webhook"]
    refs: list[str]
    event_kinds: list[Literal["push", "tag"]]
    source_binding_fingerprint: str
    blocked_reason: Literal["source-binding-changed"] | UnsetType = UNSET
    generic_webhook_secret_ref: str | UnsetType = UNSET
    dedupe_window_seconds: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    updated_at: str


class ResourcesShowResponseRuntimeProfile(Struct, kw_only=True, rename="camel"):
    strategy: Literal["auto", "dockerfile", "docker-compose", "prebuilt-image", "workspace-commands", "static"]
    install_command: str | UnsetType = UNSET
    build_command: str | UnsetType = UNSET
    start_command: str | UnsetType = UNSET
    runtime_name: str | UnsetType = UNSET
    publish_directory: str | UnsetType = UNSET
    dockerfile_path: str | UnsetType = UNSET
    docker_compose_file_path: str | UnsetType = UNSET
    build_target: str | UnsetType = UNSET
    health_check_path: str | UnsetType = UNSET
    health_check: HealthCheck2 | UnsetType = UNSET


class ResourcesShowResponseStorageAttachmentsItem(Struct, kw_only=True, rename="camel"):
    id: str
    storage_volume_id: str
    storage_volume_name: str | UnsetType = UNSET
    storage_volume_kind: Literal["named-volume", "bind-mount"] | UnsetType = UNSET
    destination_path: str
    mount_mode: Literal["read-write", "read-only"]
    attached_at: str


class ResourcesShowResponseLatestDeployment(Struct, kw_only=True, rename="camel"):
    id: str
    status: Literal[
        "created",
        "planning",
        "planned",
        "running",
        "cancel-requested",
        "succeeded",
        "failed",
        "canceled",
        "rolled-back",
    ]
    created_at: str
    started_at: str | UnsetType = UNSET
    finished_at: str | UnsetType = UNSET
    server_id: str
    destination_id: str


class ResourcesShowResponseLifecycle(Struct, kw_only=True, rename="camel"):
    status: Literal["active", "archived", "deleted"]
    archived_at: str | UnsetType = UNSET
    deleted_at: str | UnsetType = UNSET


class ResourcesShowResponseDiagnosticsItem(Struct, kw_only=True, rename="camel"):
    code: str
    severity: Literal["info", "warning", "blocking"]
    message: str
    path: str | UnsetType = UNSET
    section: Literal["source", "runtime", "network", "access", "health", "configuration"] | UnsetType = UNSET
    field_path: str | UnsetType = UNSET
    config_key: str | UnsetType = UNSET
    config_exposure: Literal["build-time", "runtime"] | UnsetType = UNSET
    config_kind: Literal["deployment-strategy", "plain-config", "provider-specific", "secret"] | UnsetType = UNSET
    config_scope: (
        Literal["defaults", "system", "organization", "project", "environment", "deployment", "resource"] | UnsetType
    ) = UNSET
    config_source: Literal["resource", "entry-profile", "deployment-snapshot"] | UnsetType = UNSET
    comparison: (
        Literal["resource-vs-entry-profile", "resource-vs-latest-snapshot", "entry-profile-vs-latest-snapshot"]
        | UnsetType
    ) = UNSET
    resource_value: ResourceValue | UnsetType = UNSET
    entry_profile_value: ResourceValue | UnsetType = UNSET
    deployment_snapshot_value: ResourceValue | UnsetType = UNSET
    latest_deployment_id: str | UnsetType = UNSET
    config_pointer: str | UnsetType = UNSET
    blocks_deployment_admission: bool | UnsetType = UNSET
    suggested_command: (
        Literal[
            "resources.configure-source",
            "resources.configure-runtime",
            "resources.configure-network",
            "resources.configure-access",
            "resources.configure-health",
            "resources.set-variable",
            "resources.unset-variable",
        ]
        | UnsetType
    ) = UNSET


class ResourcesShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.show/v1"] = "resources.show/v1"
    resource: ResourcesShowResponseResource
    source: ResourcesShowResponseSource | UnsetType = UNSET
    auto_deploy_policy: ResourcesShowResponseAutoDeployPolicy | UnsetType = UNSET
    runtime_profile: ResourcesShowResponseRuntimeProfile | UnsetType = UNSET
    network_profile: NetworkProfile | UnsetType = UNSET
    access_profile: AccessProfile | UnsetType = UNSET
    health_policy: HealthCheck2 | UnsetType = UNSET
    storage_attachments: list[ResourcesShowResponseStorageAttachmentsItem] | UnsetType = UNSET
    access_summary: AccessSummary | UnsetType = UNSET
    latest_deployment: ResourcesShowResponseLatestDeployment | UnsetType = UNSET
    lifecycle: ResourcesShowResponseLifecycle
    diagnostics: list[ResourcesShowResponseDiagnosticsItem]
    generated_at: str


class ResourcesDeleteBodyConfirmation(Struct, kw_only=True, rename="camel"):
    resource_slug: Text


class ResourcesDeleteBody(Struct, kw_only=True, rename="camel"):
    confirmation: ResourcesDeleteBodyConfirmation
    idempotency_key: Text | UnsetType = UNSET


class ResourcesDeleteResponse(Struct, kw_only=True, rename="camel"):
    id: str
