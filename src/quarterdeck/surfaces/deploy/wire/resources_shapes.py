"""Shapes below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.bindings import BindingReadiness, Connection
from quarterdeck.surfaces.deploy.wire.routing import (
    LatestAccessFailureDiagnostic,
    LatestGeneratedAccessRoute,
    PlannedGeneratedAccessRoute,
    SelectedRoute,
)
from quarterdeck.surfaces.deploy.wire.runtime import ResourcesKind
from quarterdeck.surfaces.deploy.wire.scalars import Text


class AccessProfile(Struct, kw_only=True, rename="camel"):
    generated_access_mode: Literal["inherit", "disabled"] = "inherit"
    path_prefix: Text = "/"


class AccessSummary(Struct, kw_only=True, rename="camel"):
    planned_generated_access_route: PlannedGeneratedAccessRoute | UnsetType = UNSET
    latest_generated_access_route: LatestGeneratedAccessRoute | UnsetType = UNSET
    latest_durable_domain_route: LatestGeneratedAccessRoute | UnsetType = UNSET
    latest_server_applied_domain_route: LatestGeneratedAccessRoute | UnsetType = UNSET
    proxy_route_status: Literal["unknown", "ready", "not-ready", "failed"] | UnsetType = UNSET
    last_route_realization_deployment_id: str | UnsetType = UNSET
    latest_access_failure_diagnostic: LatestAccessFailureDiagnostic | UnsetType = UNSET


class AppliedRouteContext(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["applied-route-context/v1"] = "applied-route-context/v1"
    resource_id: str
    deployment_id: str | UnsetType = UNSET
    domain_binding_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    destination_id: str | UnsetType = UNSET
    route_id: str
    diagnostic_id: str
    route_source: Literal["generated-default", "durable-domain", "server-applied", "deployment-snapshot"]
    hostname: str
    path_prefix: str
    proxy_kind: Literal["none", "traefik", "caddy"]
    provider_key: str | UnsetType = UNSET
    applied_at: str | UnsetType = UNSET
    observed_at: str | UnsetType = UNSET


class Log(Struct, kw_only=True, rename="camel"):
    resource_id: str
    deployment_id: str | UnsetType = UNSET
    service_name: str | UnsetType = UNSET
    runtime_kind: str | UnsetType = UNSET
    runtime_instance_id: str | UnsetType = UNSET
    stream: Literal["stdout", "stderr", "unknown"] | UnsetType = UNSET
    timestamp: str | UnsetType = UNSET
    sequence: float | UnsetType = UNSET
    cursor: str | UnsetType = UNSET
    message: str
    masked: bool


class Archive(Struct, kw_only=True, rename="camel"):
    archive_id: str
    resource_id: str
    deployment_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    service_name: str | UnsetType = UNSET
    runtime_kind: str | UnsetType = UNSET
    captured_at: str
    line_count: float
    retention_status: Literal["retained"] = "retained"
    reason: str | UnsetType = UNSET
    lines: list[Log]


BlockedReason = Literal[
    "resource-archived",
    "resource-deleted",
    "runtime-not-found",
    "runtime-metadata-stale",
    "runtime-already-running",
    "runtime-already-stopped",
    "runtime-control-in-progress",
    "deployment-in-progress",
    "profile-acknowledgement-required",
    "adapter-unsupported",
]


class Check(Struct, kw_only=True, rename="camel"):
    name: str
    target: Literal["runtime", "container", "command", "public-access", "proxy-route"]
    status: Literal["passed", "failed", "skipped", "unknown"]
    observed_at: str
    duration_ms: float | UnsetType = UNSET
    status_code: float | UnsetType = UNSET
    exit_code: float | UnsetType = UNSET
    message: str | UnsetType = UNSET
    reason_code: str | UnsetType = UNSET
    phase: str | UnsetType = UNSET
    retriable: bool | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class Line(Struct, kw_only=True, rename="camel"):
    timestamp: str | UnsetType = UNSET
    source: Literal["appaloft", "application"] | UnsetType = UNSET
    phase: Literal["detect", "plan", "package", "deploy", "verify", "rollback"] | UnsetType = UNSET
    level: Literal["debug", "info", "warn", "error"] | UnsetType = UNSET
    stream: Literal["stdout", "stderr", "unknown"] | UnsetType = UNSET
    service_name: str | UnsetType = UNSET
    message: str
    masked: bool


class DeploymentLogs(Struct, kw_only=True, rename="camel"):
    status: Literal["available", "empty", "not-configured", "not-requested", "unavailable", "failed", "unknown"]
    tail_limit: float
    line_count: float
    lines: list[Line]
    reason_code: str | UnsetType = UNSET
    phase: str | UnsetType = UNSET


class Http(Struct, kw_only=True, rename="camel"):
    method: Literal["GET", "HEAD", "POST", "OPTIONS"] = "GET"
    scheme: Literal["http", "https"] = "http"
    host: Text = "localhost"
    port: Annotated[int, Meta(gt=0, le=65535)] | UnsetType = UNSET
    path: Text = "/"
    expected_status_code: Annotated[int, Meta(ge=100, le=599)] = 200
    expected_response_text: Text | UnsetType = UNSET


class HealthCheck(Struct, kw_only=True, rename="camel"):
    enabled: bool = True
    type: Literal["http"] = "http"
    interval_seconds: Annotated[int, Meta(gt=0)] = 5
    timeout_seconds: Annotated[int, Meta(gt=0)] = 5
    retries: Annotated[int, Meta(gt=0)] = 10
    start_period_seconds: Annotated[int, Meta(ge=0)] = 5
    http: Http | UnsetType = UNSET


class HealthPolicy(Struct, kw_only=True, rename="camel"):
    status: Literal["configured", "not-configured", "unsupported"]
    enabled: bool
    type: Literal["http", "command"] | UnsetType = UNSET
    path: str | UnsetType = UNSET
    port: float | UnsetType = UNSET
    expected_status_code: float | UnsetType = UNSET
    interval_seconds: float | UnsetType = UNSET
    timeout_seconds: float | UnsetType = UNSET
    retries: float | UnsetType = UNSET
    start_period_seconds: float | UnsetType = UNSET
    reason_code: str | UnsetType = UNSET


class LastError(Struct, kw_only=True, rename="camel"):
    timestamp: str
    phase: Literal["detect", "plan", "package", "deploy", "verify", "rollback"]
    message: str


class LatestDeployment(Struct, kw_only=True, rename="camel"):
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
    last_error: LastError | UnsetType = UNSET


class Phase(Struct, kw_only=True, rename="camel"):
    phase: Literal["stop", "start"]
    status: Literal["pending", "running", "succeeded", "failed", "skipped"]
    error_code: str | UnsetType = UNSET


class LatestRuntimeControl(Struct, kw_only=True, rename="camel"):
    runtime_control_attempt_id: str
    operation: Literal["stop", "start", "restart"]
    status: Literal["accepted", "running", "succeeded", "failed", "blocked"]
    started_at: str
    completed_at: str | UnsetType = UNSET
    runtime_state: Literal["starting", "running", "restarting", "stopping", "stopped", "unknown"]
    blocked_reason: BlockedReason | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    phases: list[Phase] | UnsetType = UNSET


class NetworkProfile(Struct, kw_only=True, rename="camel"):
    internal_port: Annotated[int, Meta(gt=0)]
    upstream_protocol: Literal["http", "tcp"] = "http"
    exposure_mode: Literal["none", "reverse-proxy", "direct-port"] = "reverse-proxy"
    target_service_name: Text | UnsetType = UNSET
    host_port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET


class NetworkProfile2(Struct, kw_only=True, rename="camel"):
    internal_port: Annotated[int, Meta(gt=0)]
    upstream_protocol: Literal["http", "tcp"] = "http"
    exposure_mode: Literal["none", "reverse-proxy", "direct-port"] = "reverse-proxy"
    target_service_name: Text | UnsetType = UNSET
    host_port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET


class Proxy2(Struct, kw_only=True, rename="camel"):
    status: Literal["ready", "not-ready", "failed", "unknown", "not-configured"]
    provider_key: str | UnsetType = UNSET
    last_route_realization_deployment_id: str | UnsetType = UNSET
    reason_code: str | UnsetType = UNSET


class PublicAccess(Struct, kw_only=True, rename="camel"):
    status: Literal["ready", "not-ready", "failed", "unknown", "not-configured"]
    url: str | UnsetType = UNSET
    kind: Literal["durable-domain", "server-applied-domain", "generated-latest", "generated-planned"] | UnsetType = (
        UNSET
    )
    reason_code: str | UnsetType = UNSET
    phase: str | UnsetType = UNSET
    route_intent_status: SelectedRoute | UnsetType = UNSET
    latest_access_failure: LatestAccessFailureDiagnostic | UnsetType = UNSET


class ResourceValue(Struct, kw_only=True, rename="camel"):
    state: Literal["present", "missing", "masked", "redacted", "unknown"]
    display_value: str | float | bool | UnsetType | None = UNSET
    value_hash: str | UnsetType = UNSET


class Runtime(Struct, kw_only=True, rename="camel"):
    lifecycle: Literal["not-deployed", "starting", "running", "restarting", "degraded", "stopped", "exited", "unknown"]
    health: Literal["healthy", "unhealthy", "unknown", "not-configured"]
    observed_at: str | UnsetType = UNSET
    runtime_kind: Literal["docker-container", "docker-compose-stack", "host-process"] | UnsetType = UNSET
    reason_code: str | UnsetType = UNSET
    message: str | UnsetType = UNSET


class SourceError(Struct, kw_only=True, rename="camel"):
    source: Literal[
        "deployment",
        "runtime",
        "health-policy",
        "health-check",
        "proxy",
        "public-access",
        "domain-binding",
        "runtime-control",
    ]
    code: str
    category: str
    phase: str
    retriable: bool
    related_entity_id: str | UnsetType = UNSET
    related_state: str | UnsetType = UNSET
    message: str | UnsetType = UNSET


class ResourcesHealthResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.health/v1"] = "resources.health/v1"
    resource_id: str
    generated_at: str
    observed_at: str | UnsetType = UNSET
    overall: Literal["healthy", "degraded", "unhealthy", "starting", "stopped", "not-deployed", "unknown"]
    latest_deployment: LatestDeployment | UnsetType = UNSET
    runtime: Runtime
    latest_runtime_control: LatestRuntimeControl | UnsetType = UNSET
    health_policy: HealthPolicy
    public_access: PublicAccess
    proxy: Proxy2
    checks: list[Check]
    source_errors: list[SourceError]


class ResourcesTarget(Struct, kw_only=True, rename="camel"):
    target_name: str
    scope: Literal["environment", "release", "build-only", "runtime-only"]
    injection_mode: Literal["env", "file", "reference"]
    secret_ref: str | UnsetType = UNSET


class SecretRotation(Struct, kw_only=True, rename="camel"):
    secret_ref: str | UnsetType = UNSET
    secret_version: str
    rotated_at: str
    previous_secret_version: str | UnsetType = UNSET


class ResourcesItemSnapshotReadiness(Struct, kw_only=True, rename="camel"):
    status: Literal["deferred", "ready", "blocked"]
    reason: str | UnsetType = UNSET


class ResourcesItem(Struct, kw_only=True, rename="camel"):
    id: str
    project_id: str
    environment_id: str
    resource_id: str
    dependency_resource_id: str
    dependency_resource_name: str | UnsetType = UNSET
    dependency_resource_slug: str | UnsetType = UNSET
    kind: Literal["postgres", "redis", "mysql", "clickhouse", "object-storage", "opensearch"]
    source_mode: Literal["appaloft-managed", "imported-external"]
    provider_key: str
    provider_managed: bool
    lifecycle_status: Literal["provisioning", "ready", "degraded", "deleted"]
    target: ResourcesTarget
    secret_rotation: SecretRotation | UnsetType = UNSET
    connection: Connection | UnsetType = UNSET
    binding_readiness: BindingReadiness
    snapshot_readiness: ResourcesItemSnapshotReadiness
    status: Literal["active", "removed"]
    created_at: str
    removed_at: str | UnsetType = UNSET


class ResourcesRuntimeStartBody(Struct, kw_only=True, rename="camel"):
    deployment_id: Text | UnsetType = UNSET
    reason: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET
    acknowledge_retained_runtime_metadata: bool | UnsetType = UNSET


class ResourcesSecretsCreateResponse(Struct, kw_only=True, rename="camel"):
    resource_id: str
    key: str
    exposure: Literal["build-time", "runtime"]


class ResourcesSecretsItem(Struct, kw_only=True, rename="camel"):
    resource_id: str
    key: str
    value: Literal["****"] = "****"
    scope: Literal["resource"] = "resource"
    exposure: Literal["build-time", "runtime"]
    is_secret: bool
    kind: Literal["secret"] = "secret"
    updated_at: str

    def __post_init__(self) -> None:
        if not self.is_secret:
            message = "isSecret must be true"
            raise ValueError(message)


class ResourcesSource(Struct, kw_only=True, rename="camel"):
    kind: ResourcesKind
    locator: Text
    display_name: Text | UnsetType = UNSET
    git_ref: Text | UnsetType = UNSET
    commit_sha: Text | UnsetType = UNSET
    base_directory: Text | UnsetType = UNSET
    original_locator: Text | UnsetType = UNSET
    repository_id: Text | UnsetType = UNSET
    repository_full_name: Text | UnsetType = UNSET
    default_branch: Text | UnsetType = UNSET
    image_name: Text | UnsetType = UNSET
    image_tag: Text | UnsetType = UNSET
    image_digest: Text | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class Service(Struct, kw_only=True, rename="camel"):
    name: str
    kind: Literal["web", "api", "worker", "database", "cache", "service"]


class Warning5(Struct, kw_only=True, rename="camel"):
    code: str
    message: str
    details: dict[str, str | float | bool | None] | UnsetType = UNSET
