"""Shapes below /api/resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.resources_shapes import (
    DeploymentLogs,
    LastError,
    NetworkProfile,
    Service,
    Warning5,
)
from quarterdeck.surfaces.deploy.wire.routing import LatestAccessFailureDiagnostic, SelectedRoute
from quarterdeck.surfaces.deploy.wire.runtime import ResourcesKind
from quarterdeck.surfaces.deploy.wire.scalars import Text


class ResourcesDiagnosticSummaryQuery(Struct, kw_only=True, rename="camel"):
    deployment_id: Text | UnsetType = UNSET
    observation_from: Text | UnsetType = UNSET
    observation_to: Text | UnsetType = UNSET
    include_deployment_log_tail: bool | UnsetType = UNSET
    include_runtime_log_tail: bool | UnsetType = UNSET
    include_proxy_configuration: bool | UnsetType = UNSET
    tail_lines: Annotated[int, Meta(ge=0, le=50)] = 20
    locale: Text | UnsetType = UNSET


class ResourcesDiagnosticSummaryResponseFocus(Struct, kw_only=True, rename="camel"):
    resource_id: str
    requested_deployment_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET


class ResourcesDiagnosticSummaryResponseContextObservationWindow(Struct, kw_only=True, rename="camel"):
    from_: str
    to: str


class ResourcesDiagnosticSummaryResponseContext(Struct, kw_only=True, rename="camel"):
    project_id: str
    environment_id: str
    resource_name: str
    resource_slug: str
    resource_kind: Literal[
        "application", "service", "database", "cache", "compose-stack", "worker", "static-site", "external"
    ]
    destination_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    runtime_strategy: Literal["docker-container", "docker-compose-stack", "host-process"] | UnsetType = UNSET
    build_strategy: (
        Literal["dockerfile", "compose-deploy", "buildpack", "static-artifact", "prebuilt-image", "workspace-commands"]
        | UnsetType
    ) = UNSET
    packaging_mode: (
        Literal["split-deploy", "all-in-one-docker", "compose-bundle", "host-process-runtime", "optional-future-binary"]
        | UnsetType
    ) = UNSET
    target_kind: Literal["single-server", "orchestrator-cluster"] | UnsetType = UNSET
    target_provider_key: str | UnsetType = UNSET
    services: list[Service]
    network_profile: NetworkProfile | UnsetType = UNSET
    observation_window: ResourcesDiagnosticSummaryResponseContextObservationWindow | UnsetType = UNSET


class ResourcesDiagnosticSummaryResponseDeployment(Struct, kw_only=True, rename="camel"):
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
    lifecycle_phase: Literal[
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
    runtime_plan_id: str
    source_kind: ResourcesKind
    source_display_name: str
    server_id: str
    destination_id: str
    created_at: str
    started_at: str | UnsetType = UNSET
    finished_at: str | UnsetType = UNSET
    log_count: float
    last_error: LastError | UnsetType = UNSET


class ResourcesDiagnosticSummaryResponseAccess(Struct, kw_only=True, rename="camel"):
    status: Literal["available", "empty", "not-configured", "not-requested", "unavailable", "failed", "unknown"]
    generated_url: str | UnsetType = UNSET
    durable_url: str | UnsetType = UNSET
    server_applied_url: str | UnsetType = UNSET
    planned_url: str | UnsetType = UNSET
    latest_access_failure: LatestAccessFailureDiagnostic | UnsetType = UNSET
    selected_route: SelectedRoute | UnsetType = UNSET
    route_intent_statuses: list[SelectedRoute] | UnsetType = UNSET
    proxy_route_status: Literal["unknown", "ready", "not-ready", "failed"] | UnsetType = UNSET
    last_route_realization_deployment_id: str | UnsetType = UNSET
    reason_code: str | UnsetType = UNSET
    phase: str | UnsetType = UNSET


class ResourcesDiagnosticSummaryResponseProxySectionsItem(Struct, kw_only=True, rename="camel"):
    id: str
    title: str
    format: Literal["docker-labels", "file", "command", "yaml", "json", "text"]
    redacted: bool
    source: Literal["provider-rendered", "snapshot", "diagnostic"]


class ResourcesDiagnosticSummaryResponseProxyTlsRoutesItem(Struct, kw_only=True, rename="camel"):
    hostname: str
    path_prefix: str
    tls_mode: Literal["auto", "disabled"]
    scheme: Literal["http", "https"]
    automation: Literal["disabled", "provider-local"]
    certificate_source: Literal["none", "provider-local"]
    appaloft_certificate_managed: bool
    message: str


class ResourcesDiagnosticSummaryResponseProxy(Struct, kw_only=True, rename="camel"):
    status: Literal["available", "empty", "not-configured", "not-requested", "unavailable", "failed", "unknown"]
    provider_key: str | UnsetType = UNSET
    proxy_route_status: Literal["unknown", "ready", "not-ready", "failed"] | UnsetType = UNSET
    configuration_included: bool
    configuration_status: Literal["not-configured", "planned", "applied", "stale", "failed"] | UnsetType = UNSET
    configuration_generated_at: str | UnsetType = UNSET
    route_count: float | UnsetType = UNSET
    section_count: float | UnsetType = UNSET
    sections: list[ResourcesDiagnosticSummaryResponseProxySectionsItem] | UnsetType = UNSET
    tls_routes: list[ResourcesDiagnosticSummaryResponseProxyTlsRoutesItem] | UnsetType = UNSET
    warnings: list[Warning5] | UnsetType = UNSET
    reason_code: str | UnsetType = UNSET
    phase: str | UnsetType = UNSET


class ResourcesDiagnosticSummaryResponseSystem(Struct, kw_only=True, rename="camel"):
    entrypoint: Literal["cli", "http", "mcp", "rpc", "system"]
    request_id: str
    locale: str
    readiness_status: Literal["ready", "degraded"] | UnsetType = UNSET
    database_driver: str | UnsetType = UNSET
    database_mode: str | UnsetType = UNSET


class ResourcesDiagnosticSummaryResponseSourceErrorsItem(Struct, kw_only=True, rename="camel"):
    source: Literal["deployment", "access", "proxy", "deployment-logs", "runtime-logs", "system", "copy"]
    code: str
    category: str
    phase: str
    retryable: bool
    related_entity_id: str | UnsetType = UNSET
    related_state: str | UnsetType = UNSET
    message: str | UnsetType = UNSET


class ResourcesDiagnosticSummaryResponseRedaction(Struct, kw_only=True, rename="camel"):
    policy: Literal["deployment-environment-secrets"] = "deployment-environment-secrets"
    masked: bool
    masked_value_count: float


class ResourcesDiagnosticSummaryResponseCopy(Struct, kw_only=True, rename="camel"):
    json: str
    markdown: str | UnsetType = UNSET
    plain_text: str | UnsetType = UNSET


class ResourcesDiagnosticSummaryResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resources.diagnostic-summary/v1"] = "resources.diagnostic-summary/v1"
    generated_at: str
    focus: ResourcesDiagnosticSummaryResponseFocus
    context: ResourcesDiagnosticSummaryResponseContext
    deployment: ResourcesDiagnosticSummaryResponseDeployment | UnsetType = UNSET
    access: ResourcesDiagnosticSummaryResponseAccess
    proxy: ResourcesDiagnosticSummaryResponseProxy
    deployment_logs: DeploymentLogs
    runtime_logs: DeploymentLogs
    system: ResourcesDiagnosticSummaryResponseSystem
    source_errors: list[ResourcesDiagnosticSummaryResponseSourceErrorsItem]
    redaction: ResourcesDiagnosticSummaryResponseRedaction
    copy: ResourcesDiagnosticSummaryResponseCopy
