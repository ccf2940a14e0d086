"""Shapes below /api/runtime-monitoring. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.deploy.wire.runtime_monitoring_shapes import (
    Metric,
    RuntimeMonitoringThresholdsPolicy,
    SourceError2,
)
from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text
from quarterdeck.surfaces.deploy.wire.usage import (
    RuntimeMonitoringThresholdsScope,
    RuntimeMonitoringThresholdsScope2,
    RuntimeUsageScope,
)


class RuntimeMonitoringThresholdsShowQueryScopeServer(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"
):
    server_id: Text


class RuntimeMonitoringThresholdsShowQueryScopeProject(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"
):
    project_id: Text


class RuntimeMonitoringThresholdsShowQueryScopeEnvironment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="environment"
):
    environment_id: Text


class RuntimeMonitoringThresholdsShowQueryScopeResource(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"
):
    resource_id: Text


class RuntimeMonitoringThresholdsShowQueryScopeDeployment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"
):
    deployment_id: Text


class RuntimeMonitoringThresholdsShowQueryWindow(Struct, kw_only=True, rename="camel"):
    from_: DateTime | UnsetType = UNSET
    to: DateTime | UnsetType = UNSET


class RuntimeMonitoringThresholdsShowQuery(Struct, kw_only=True, rename="camel"):
    scope: (
        RuntimeMonitoringThresholdsShowQueryScopeServer
        | RuntimeMonitoringThresholdsShowQueryScopeProject
        | RuntimeMonitoringThresholdsShowQueryScopeEnvironment
        | RuntimeMonitoringThresholdsShowQueryScopeResource
        | RuntimeMonitoringThresholdsShowQueryScopeDeployment
        | UnsetType
    ) = UNSET
    policy_id: Text | UnsetType = UNSET
    window: RuntimeMonitoringThresholdsShowQueryWindow | UnsetType = UNSET
    scope_kind: Literal["server", "project", "environment", "resource", "deployment"] | UnsetType = field(
        name="scope.kind", default=UNSET
    )
    scope_server_id: Text | UnsetType = field(name="scope.serverId", default=UNSET)
    window_from: DateTime | UnsetType = field(name="window.from", default=UNSET)
    window_to: DateTime | UnsetType = field(name="window.to", default=UNSET)
    scope_project_id: Text | UnsetType = field(name="scope.projectId", default=UNSET)
    scope_environment_id: Text | UnsetType = field(name="scope.environmentId", default=UNSET)
    scope_resource_id: Text | UnsetType = field(name="scope.resourceId", default=UNSET)
    scope_deployment_id: Text | UnsetType = field(name="scope.deploymentId", default=UNSET)


class RuntimeMonitoringThresholdsShowResponseScopeServer(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"
):
    server_id: str


class RuntimeMonitoringThresholdsShowResponseScopeProject(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"
):
    project_id: str


class RuntimeMonitoringThresholdsShowResponseScopeResource(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"
):
    resource_id: str


class RuntimeMonitoringThresholdsShowResponseScopeDeployment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"
):
    deployment_id: str


class RuntimeMonitoringThresholdsShowResponseEvaluationCrossedItem(Struct, kw_only=True, rename="camel"):
    rule_id: str
    signal: Literal["cpu", "memory", "disk", "inode", "docker", "network"]
    metric: Metric
    severity: Literal["warning", "critical"]
    observed_value: float
    boundary: float


class RuntimeMonitoringThresholdsShowResponseEvaluation(Struct, kw_only=True, rename="camel"):
    state: Literal["ok", "warning", "critical", "stale", "unknown"]
    evaluated_at: str | UnsetType = UNSET
    source_sample_id: str | UnsetType = UNSET
    crossed: list[RuntimeMonitoringThresholdsShowResponseEvaluationCrossedItem]
    next_actions: list[
        Literal[
            "inspect-runtime-usage",
            "open-runtime-monitoring",
            "inspect-capacity",
            "review-runtime-logs",
            "review-deployment-events",
            "configure-thresholds",
        ]
    ]
    source_errors: list[SourceError2]


class RuntimeMonitoringThresholdsShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["runtime-monitoring-thresholds.show/v1"] = "runtime-monitoring-thresholds.show/v1"
    scope: (
        RuntimeMonitoringThresholdsShowResponseScopeServer
        | RuntimeMonitoringThresholdsShowResponseScopeProject
        | RuntimeUsageScope
        | RuntimeMonitoringThresholdsShowResponseScopeResource
        | RuntimeMonitoringThresholdsShowResponseScopeDeployment
    )
    generated_at: str
    policy: RuntimeMonitoringThresholdsPolicy | None
    evaluation: RuntimeMonitoringThresholdsShowResponseEvaluation


class RuntimeMonitoringThresholdsConfigureBodyScopeEnvironment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="environment"
):
    environment_id: Text


class RuntimeMonitoringThresholdsConfigureBodyScopeResource(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"
):
    resource_id: Text


class RuntimeMonitoringThresholdsConfigureBodyScopeDeployment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"
):
    deployment_id: Text


class RuntimeMonitoringThresholdsConfigureBodyRulesItem(Struct, kw_only=True, rename="camel"):
    rule_id: Text | UnsetType = UNSET
    signal: Literal["cpu", "memory", "disk", "inode", "docker", "network"]
    metric: Metric
    warning: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    critical: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    comparator: Literal["greater-than-or-equal"] = "greater-than-or-equal"


class RuntimeMonitoringThresholdsConfigureBody(Struct, kw_only=True, rename="camel"):
    policy_id: Text | UnsetType = UNSET
    scope: (
        RuntimeMonitoringThresholdsScope2
        | RuntimeMonitoringThresholdsScope
        | RuntimeMonitoringThresholdsConfigureBodyScopeEnvironment
        | RuntimeMonitoringThresholdsConfigureBodyScopeResource
        | RuntimeMonitoringThresholdsConfigureBodyScopeDeployment
    )
    rules: Annotated[list[RuntimeMonitoringThresholdsConfigureBodyRulesItem], Meta(min_length=1)]
    enabled: bool = True
    idempotency_key: Text | UnsetType = UNSET


class RuntimeMonitoringThresholdsConfigureResponse(Struct, kw_only=True, rename="camel"):
    policy: RuntimeMonitoringThresholdsPolicy
