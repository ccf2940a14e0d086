"""Shapes that several rooms share. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

NextAction = Literal[
    "check-health",
    "inspect-runtime-logs",
    "inspect-deployment-logs",
    "inspect-proxy-preview",
    "diagnostic-summary",
    "verify-domain",
    "fix-dns",
    "repair-proxy",
    "manual-review",
]


ResourcesCode = Literal[
    "resource_access_route_not_found",
    "resource_access_proxy_unavailable",
    "resource_access_route_unavailable",
    "resource_access_upstream_unavailable",
    "resource_access_upstream_connect_failed",
    "resource_access_upstream_timeout",
    "resource_access_upstream_reset",
    "resource_access_upstream_tls_failed",
    "resource_access_edge_error",
    "resource_access_unknown",
]


ResourcesPhase = Literal[
    "edge-request-routing",
    "proxy-route-observation",
    "upstream-connection",
    "upstream-response",
    "proxy-route-realization",
    "public-route-verification",
    "diagnostic-page-render",
]


class Route(Struct, kw_only=True, rename="camel"):
    host: str | UnsetType = UNSET
    path_prefix: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET
    domain_binding_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    destination_id: str | UnsetType = UNSET
    provider_key: str | UnsetType = UNSET
    route_id: str | UnsetType = UNSET
    diagnostic_id: str | UnsetType = UNSET
    route_source: (
        Literal["generated-default", "durable-domain", "server-applied", "deployment-snapshot"] | UnsetType
    ) = UNSET
    route_status: str | UnsetType = UNSET


class LatestAccessFailureDiagnosticAffected(Struct, kw_only=True, rename="camel"):
    url: str | UnsetType = UNSET
    hostname: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    method: str | UnsetType = UNSET


class LatestAccessFailureDiagnostic(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["resource-access-failure/v1"] = "resource-access-failure/v1"
    request_id: str
    generated_at: str
    code: ResourcesCode
    category: Literal["infra", "integration", "timeout", "not-found", "async-processing"]
    phase: ResourcesPhase
    http_status: Literal[404, 502, 503, 504]
    retriable: bool
    owner_hint: Literal["platform", "resource", "operator-config", "unknown"]
    next_action: NextAction
    affected: LatestAccessFailureDiagnosticAffected | UnsetType = UNSET
    route: Route | UnsetType = UNSET
    cause_code: str | UnsetType = UNSET
    correlation_id: str | UnsetType = UNSET
    causation_id: str | UnsetType = UNSET


class LatestGeneratedAccessRoute(Struct, kw_only=True, rename="camel"):
    url: str
    hostname: str
    scheme: Literal["http", "https"]
    provider_key: str | UnsetType = UNSET
    deployment_id: str
    deployment_status: Literal[
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
    path_prefix: str
    proxy_kind: Literal["none", "traefik", "caddy"]
    target_port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    updated_at: str


class PlannedGeneratedAccessRoute(Struct, kw_only=True, rename="camel"):
    url: str
    hostname: str
    scheme: Literal["http", "https"]
    provider_key: str | UnsetType = UNSET
    path_prefix: str
    proxy_kind: Literal["none", "traefik", "caddy"]
    target_port: Annotated[int, Meta(gt=0)]


BlockingReason = Literal[
    "runtime_not_ready",
    "health_check_failing",
    "proxy_route_missing",
    "proxy_route_stale",
    "domain_not_verified",
    "certificate_missing",
    "certificate_expired_or_not_active",
    "dns_points_elsewhere",
    "server_applied_route_unavailable",
    "observation_unavailable",
]


class Context(Struct, kw_only=True, rename="camel"):
    resource_id: str
    deployment_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    destination_id: str | UnsetType = UNSET
    runtime_target_kind: str | UnsetType = UNSET


class CopySafeSummary(Struct, kw_only=True, rename="camel"):
    status: Literal["available", "unavailable", "not-ready", "failed", "stale", "unknown"]
    code: str | UnsetType = UNSET
    phase: str | UnsetType = UNSET
    message: str


class Intent(Struct, kw_only=True, rename="camel"):
    host: str
    path_prefix: str
    protocol: Literal["http", "https"]
    route_behavior: Literal["serve", "redirect"]
    redirect_to: str | UnsetType = UNSET
    redirect_status: Literal[301, 302, 307, 308] | UnsetType = UNSET


class LatestObservation(Struct, kw_only=True, rename="camel"):
    source: Literal[
        "resource-access-summary",
        "proxy-preview",
        "resource-health",
        "runtime-logs",
        "access-failure-diagnostic",
        "deployment-snapshot",
    ]
    observed_at: str | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET


class Proxy(Struct, kw_only=True, rename="camel"):
    intent: Literal["not-required", "required", "unknown"]
    applied: Literal["not-configured", "planned", "applied", "ready", "not-ready", "stale", "failed", "unknown"]
    provider_key: str | UnsetType = UNSET


RecommendedAction = Literal[
    "none",
    "wait",
    "check-health",
    "inspect-logs",
    "inspect-proxy-preview",
    "diagnostic-summary",
    "verify-domain",
    "fix-dns",
    "provide-certificate",
    "repair-proxy",
    "manual-review",
]


class SelectedRoute(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["route-intent-status/v1"] = "route-intent-status/v1"
    route_id: str
    diagnostic_id: str
    source: Literal[
        "generated-default-access", "durable-domain-binding", "server-applied-route", "deployment-snapshot-route"
    ]
    intent: Intent
    context: Context
    proxy: Proxy
    domain_verification: Literal["not-applicable", "pending", "verified", "failed", "unknown"]
    tls: Literal["not-applicable", "disabled", "pending", "active", "missing", "expired", "failed", "unknown"]
    runtime_health: Literal["healthy", "degraded", "unhealthy", "starting", "stopped", "not-deployed", "unknown"]
    latest_observation: LatestObservation | UnsetType = UNSET
    blocking_reason: BlockingReason | UnsetType = UNSET
    recommended_action: RecommendedAction
    copy_safe_summary: CopySafeSummary
