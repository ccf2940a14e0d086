"""Shapes below /api/runtime-monitoring. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.usage import RuntimeUsageScope

Metric = Literal[
    "containerCpuPercent",
    "loadAverage1m",
    "containerUsedBytes",
    "usedBytes",
    "attributedBytes",
    "used",
    "imageBytes",
    "buildCacheBytes",
    "containerWritableBytes",
    "rxBytes",
    "txBytes",
]


class Retention(Struct, kw_only=True, rename="camel"):
    raw_retention_hours: float
    retained_from: str | UnsetType = UNSET
    retained_to: str | UnsetType = UNSET


class Rule(Struct, kw_only=True, rename="camel"):
    rule_id: str
    signal: Literal["cpu", "memory", "disk", "inode", "docker", "network"]
    metric: Metric
    warning: float | UnsetType = UNSET
    critical: float | UnsetType = UNSET
    comparator: Literal["greater-than-or-equal"] = "greater-than-or-equal"


class RuntimeMonitoringThresholdsPolicyScopeServer(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"
):
    server_id: str


class RuntimeMonitoringThresholdsPolicyScopeProject(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"
):
    project_id: str


class RuntimeMonitoringThresholdsPolicyScopeResource(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"
):
    resource_id: str


class RuntimeMonitoringThresholdsPolicyScopeDeployment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"
):
    deployment_id: str


class RuntimeMonitoringThresholdsPolicy(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["runtime-monitoring-thresholds.policy/v1"] = "runtime-monitoring-thresholds.policy/v1"
    policy_id: str
    scope: (
        RuntimeMonitoringThresholdsPolicyScopeServer
        | RuntimeMonitoringThresholdsPolicyScopeProject
        | RuntimeUsageScope
        | RuntimeMonitoringThresholdsPolicyScopeResource
        | RuntimeMonitoringThresholdsPolicyScopeDeployment
    )
    rules: list[Rule]
    enabled: bool
    updated_at: str
    updated_by_actor_id: str | UnsetType = UNSET
    updated_by_actor_kind: Literal["deploy-token", "system", "user"] | UnsetType = UNSET


class SourceError2(Struct, kw_only=True, rename="camel"):
    source: Literal["monitoring-store", "collector", "read-model", "unknown"]
    code: str
    message: str
    retriable: bool


class Warning3ScopeServer(Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"):
    server_id: str


class Warning3ScopeProject(Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"):
    project_id: str


class Warning3ScopeResource(Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"):
    resource_id: str


class Warning3ScopeDeployment(Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"):
    deployment_id: str


class Warning3(Struct, kw_only=True, rename="camel"):
    code: Literal["missing-samples", "partial-window", "stale-samples", "missing-metric-source", "outside-retention"]
    message: str
    signal: Literal["cpu", "memory", "disk", "inode", "docker", "network"] | UnsetType = UNSET
    scope: (
        Warning3ScopeServer
        | Warning3ScopeProject
        | RuntimeUsageScope
        | Warning3ScopeResource
        | Warning3ScopeDeployment
        | UnsetType
    ) = UNSET
