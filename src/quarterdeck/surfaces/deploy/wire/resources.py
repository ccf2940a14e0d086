"""Shapes below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.deploy.wire.resources_shapes import (
    HealthCheck,
    LatestRuntimeControl,
    NetworkProfile2,
    ResourcesHealthResponse,
    ResourcesItem,
    ResourcesRuntimeStartBody,
    ResourcesSecretsCreateResponse,
    ResourcesSecretsItem,
    ResourcesSource,
    SourceError,
)
from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text
from quarterdeck.surfaces.deploy.wire.variables import OwnedEntrie


class ResourcesCountQuery(Struct, kw_only=True, rename="camel"):
    project_id: str | UnsetType = UNSET
    environment_id: str | UnsetType = UNSET
    include_preview_resources: bool | UnsetType = UNSET


class ResourcesCountResponse(Struct, kw_only=True, rename="camel"):
    count: Annotated[int, Meta(ge=0)]


class ResourcesArchiveBody(Struct, kw_only=True, rename="camel"):
    reason: Annotated[str, Meta(min_length=1, max_length=280)] | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class ResourcesArchiveResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesConfigureHealthBody(Struct, kw_only=True, rename="camel"):
    health_check: HealthCheck


class ResourcesConfigureHealthResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesResetHealthResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesConfigureNetworkBody(Struct, kw_only=True, rename="camel"):
    network_profile: NetworkProfile2


class ResourcesConfigureNetworkResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesConfigureAccessBodyAccessProfile(Struct, kw_only=True, rename="camel"):
    generated_access_mode: Literal["inherit", "disabled"] = "inherit"
    path_prefix: Text = "/"


class ResourcesConfigureAccessBody(Struct, kw_only=True, rename="camel"):
    access_profile: ResourcesConfigureAccessBodyAccessProfile


class ResourcesConfigureAccessResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesConfigureAutoDeployBodyPolicy(Struct, kw_only=True, rename="camel"):
    trigger_kind: Literal["git-push", "generic-signed-webhook"]
    refs: Annotated[list[Text], Meta(min_length=1)]
    event_kinds: Annotated[list[Literal["push", "tag"]], Meta(min_length=1)]
    generic_webhook_secret_ref: Text | UnsetType = UNSET
    dedupe_window_seconds: Annotated[int, Meta(gt=0)] | UnsetType = UNSET


class ResourcesConfigureAutoDeployBody(Struct, kw_only=True, rename="camel"):
    mode: Literal["enable", "disable", "replace", "acknowledge-source-binding"]
    source_binding_fingerprint: Text | UnsetType = UNSET
    policy: ResourcesConfigureAutoDeployBodyPolicy | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class ResourcesConfigureAutoDeployResponse(Struct, kw_only=True, rename="camel"):
    resource_id: str
    status: Literal["enabled", "disabled", "blocked"]
    trigger_kind: Literal["git-push", "generic-signed-webhook"] | UnsetType = UNSET
    refs: list[str] | UnsetType = UNSET
    event_kinds: list[Literal["push", "tag"]] | UnsetType = UNSET
    source_binding_fingerprint: str | UnsetType = UNSET
    blocked_reason: Literal["source-binding-changed"] | UnsetType = UNSET


class ResourcesAttachStorageBody(Struct, kw_only=True, rename="camel"):
    storage_volume_id: Text
    destination_path: Text
    mount_mode: Literal["read-write", "read-only"] = "read-write"


class ResourcesAttachStorageResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesDetachStorageResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesConfigureRuntimeBodyRuntimeProfile(Struct, kw_only=True, rename="camel"):
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
    kubernetes_namespace: Any | UnsetType = UNSET
    helm_chart: Any | UnsetType = UNSET
    swarm_service: Any | UnsetType = UNSET
    replicas: Any | UnsetType = UNSET
    node_selector: Any | UnsetType = UNSET
    ingress_class: Any | UnsetType = UNSET
    provider_options: Any | UnsetType = UNSET


class ResourcesConfigureRuntimeBody(Struct, kw_only=True, rename="camel"):
    runtime_profile: ResourcesConfigureRuntimeBodyRuntimeProfile
    idempotency_key: Text | UnsetType = UNSET


class ResourcesConfigureRuntimeResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesConfigureSourceBody(Struct, kw_only=True, rename="camel"):
    source: ResourcesSource
    idempotency_key: Text | UnsetType = UNSET


class ResourcesConfigureSourceResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesSecretsListQuery(Struct, kw_only=True, rename="camel"):
    exposure: Literal["build-time", "runtime"] = "runtime"


class ResourcesSecretsListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.secrets.list/v1"] = "resources.secrets.list/v1"
    resource_id: str
    items: list[ResourcesSecretsItem]
    generated_at: str


class ResourcesSecretsCreateBody(Struct, kw_only=True, rename="camel"):
    key: Text
    value: Text
    exposure: Literal["build-time", "runtime"] = "runtime"


class ResourcesSecretsShowQuery(Struct, kw_only=True, rename="camel"):
    exposure: Literal["build-time", "runtime"] = "runtime"


class ResourcesSecretsShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.secrets.show/v1"] = "resources.secrets.show/v1"
    secret: ResourcesSecretsItem
    generated_at: str


class ResourcesSecretsRotateBody(Struct, kw_only=True, rename="camel"):
    value: Text
    exposure: Literal["build-time", "runtime"] = "runtime"


ResourcesSecretsRotateResponse = ResourcesSecretsCreateResponse


class ResourcesSecretsDeleteBody(Struct, kw_only=True, rename="camel"):
    exposure: Literal["build-time", "runtime"] = "runtime"


ResourcesSecretsDeleteResponse = ResourcesSecretsCreateResponse


class ResourcesEffectiveConfigResponseOverridesItem(Struct, kw_only=True, rename="camel"):
    key: str
    exposure: Literal["build-time", "runtime"]
    selected_scope: str
    overridden_scopes: list[str]


class ResourcesEffectiveConfigResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.effective-config/v1"] = "resources.effective-config/v1"
    resource_id: str
    environment_id: str
    owned_entries: list[OwnedEntrie]
    effective_entries: list[OwnedEntrie]
    overrides: list[ResourcesEffectiveConfigResponseOverridesItem] = field(default_factory=list)
    precedence: list[str]
    generated_at: str


class ResourcesHealthQuery(Struct, kw_only=True, rename="camel"):
    mode: Literal["cached", "live"] = "cached"
    include_checks: bool | UnsetType = UNSET
    include_public_access_probe: bool | UnsetType = UNSET
    include_runtime_probe: bool | UnsetType = UNSET


class ResourcesHealthHistoryQueryWindow(Struct, kw_only=True, rename="camel"):
    from_: DateTime | UnsetType = UNSET
    to: DateTime | UnsetType = UNSET


class ResourcesHealthHistoryQuery(Struct, kw_only=True, rename="camel"):
    window: ResourcesHealthHistoryQueryWindow | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=720)] = 200
    dotted_window_from: DateTime | UnsetType = field(name="window.from", default=UNSET)
    dotted_window_to: DateTime | UnsetType = field(name="window.to", default=UNSET)


class ResourcesHealthHistoryResponseObservationsItem(Struct, kw_only=True, rename="camel"):
    observation_id: str
    observed_at: str
    overall: Literal["healthy", "degraded", "unhealthy", "starting", "stopped", "not-deployed", "unknown"]
    runtime_lifecycle: Literal[
        "not-deployed", "starting", "running", "restarting", "degraded", "stopped", "exited", "unknown"
    ]
    runtime_health: Literal["healthy", "unhealthy", "unknown", "not-configured"]
    public_access_status: Literal["ready", "not-ready", "failed", "unknown", "not-configured"]
    proxy_status: Literal["ready", "not-ready", "failed", "unknown", "not-configured"]
    health_policy_status: Literal["configured", "not-configured", "unsupported"]
    latest_deployment_id: str | UnsetType = UNSET
    summary: ResourcesHealthResponse


class ResourcesHealthHistoryResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.health-history/v1"] = "resources.health-history/v1"
    resource_id: str
    from_: str
    to: str
    generated_at: str
    observations: list[ResourcesHealthHistoryResponseObservationsItem]
    source_errors: list[SourceError]


class ResourcesRuntimeStopBody(Struct, kw_only=True, rename="camel"):
    deployment_id: Text | UnsetType = UNSET
    reason: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


ResourcesRuntimeStopResponse = LatestRuntimeControl


ResourcesRuntimeStartResponse = LatestRuntimeControl


ResourcesRuntimeRestartBody = ResourcesRuntimeStartBody


ResourcesRuntimeRestartResponse = LatestRuntimeControl


class ResourcesListDependencyBindingsResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.dependency-bindings.list/v1"] = "resources.dependency-bindings.list/v1"
    items: list[ResourcesItem]
    generated_at: str


class ResourcesBindDependencyBody(Struct, kw_only=True, rename="camel"):
    dependency_resource_id: Text
    target_name: Text
    scope: Literal["environment", "release", "build-only", "runtime-only"] = "runtime-only"
    injection_mode: Literal["env", "file", "reference"] = "env"


class ResourcesBindDependencyResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesShowDependencyBindingResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.dependency-bindings.show/v1"] = "resources.dependency-bindings.show/v1"
    binding: ResourcesItem
    generated_at: str


class ResourcesUnbindDependencyResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ResourcesRotateDependencyBindingSecretBody(Struct, kw_only=True, rename="camel"):
    secret_ref: Text | UnsetType = UNSET
    secret_value: Text | UnsetType = UNSET
    confirm_historical_snapshots_remain_unchanged: bool

    def __post_init__(self) -> None:
        if not self.confirm_historical_snapshots_remain_unchanged:
            message = "confirmHistoricalSnapshotsRemainUnchanged must be true"
            raise ValueError(message)


class ResourcesRotateDependencyBindingSecretResponse(Struct, kw_only=True, rename="camel"):
    id: str
    rotated_at: str
    secret_version: str


class DeploymentsRedeployBody(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    environment_id: Text | UnsetType = UNSET
    server_id: Text | UnsetType = UNSET
    destination_id: Text | UnsetType = UNSET
    source_deployment_id: Text | UnsetType = UNSET
    readiness_generated_at: Text | UnsetType = UNSET


class DeploymentsRedeployResponse(Struct, kw_only=True, rename="camel"):
    id: str


class PreviewEnvironmentsDeleteResponse(Struct, kw_only=True, rename="camel"):
    status: Literal["cleaned", "already-clean", "retry-scheduled", "failed"]
    attempt_id: str
    preview_environment_id: str
    resource_id: str
    source_binding_fingerprint: str
    preview_environment_status: Literal["cleanup-requested"] = "cleanup-requested"
    cleaned_runtime: bool
    removed_route: bool
    removed_source_link: bool
    removed_provider_metadata: bool
    updated_feedback: bool
    error_code: str | UnsetType = UNSET
    retryable: bool | UnsetType = UNSET
    failure_phase: str | UnsetType = UNSET
    next_retry_at: str | UnsetType = UNSET
