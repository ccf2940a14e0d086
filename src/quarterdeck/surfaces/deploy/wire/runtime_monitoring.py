"""Shapes below /api/runtime-monitoring. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.deploy.wire.runtime_monitoring_shapes import (
    Metric,
    Retention,
    RuntimeMonitoringThresholdsPolicy,
    SourceError2,
    Warning3,
)
from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text
from quarterdeck.surfaces.deploy.wire.usage import (
    RuntimeMonitoringThresholdsScope,
    RuntimeMonitoringThresholdsScope2,
    RuntimeUsageKind,
    RuntimeUsageScope,
    Totals,
)


class RuntimeMonitoringSamplesListQueryScopeServer(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"
):
    server_id: Text


class RuntimeMonitoringSamplesListQueryScopeProject(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"
):
    project_id: Text


class RuntimeMonitoringSamplesListQueryScopeEnvironment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="environment"
):
    environment_id: Text


class RuntimeMonitoringSamplesListQueryScopeResource(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"
):
    resource_id: Text


class RuntimeMonitoringSamplesListQueryScopeDeployment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"
):
    deployment_id: Text


class RuntimeMonitoringSamplesListQueryWindow(Struct, kw_only=True, rename="camel"):
    from_: DateTime | UnsetType = UNSET
    to: DateTime | UnsetType = UNSET


class RuntimeMonitoringSamplesListQuery(Struct, kw_only=True, rename="camel"):
    scope: (
        RuntimeMonitoringSamplesListQueryScopeServer
        | RuntimeMonitoringSamplesListQueryScopeProject
        | RuntimeMonitoringSamplesListQueryScopeEnvironment
        | RuntimeMonitoringSamplesListQueryScopeResource
        | RuntimeMonitoringSamplesListQueryScopeDeployment
        | UnsetType
    ) = UNSET
    window: RuntimeMonitoringSamplesListQueryWindow | UnsetType = UNSET
    signals: list[Literal["cpu", "memory", "disk", "inode", "docker", "network"]] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=720)] = 300
    dotted_scope_kind: Literal["server", "project", "environment", "resource", "deployment"] | UnsetType = field(
        name="scope.kind", default=UNSET
    )
    dotted_scope_server_id: Text | UnsetType = field(name="scope.serverId", default=UNSET)
    dotted_window_from: DateTime | UnsetType = field(name="window.from", default=UNSET)
    dotted_window_to: DateTime | UnsetType = field(name="window.to", default=UNSET)
    dotted_scope_project_id: Text | UnsetType = field(name="scope.projectId", default=UNSET)
    dotted_scope_environment_id: Text | UnsetType = field(name="scope.environmentId", default=UNSET)
    dotted_scope_resource_id: Text | UnsetType = field(name="scope.resourceId", default=UNSET)
    dotted_scope_deployment_id: Text | UnsetType = field(name="scope.deploymentId", default=UNSET)


class RuntimeMonitoringSamplesListResponseScopeServer(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"
):
    server_id: str


class RuntimeMonitoringSamplesListResponseScopeProject(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"
):
    project_id: str


class RuntimeMonitoringSamplesListResponseScopeResource(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"
):
    resource_id: str


class RuntimeMonitoringSamplesListResponseScopeDeployment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"
):
    deployment_id: str


class RuntimeMonitoringSamplesListResponseSamplesItemScopeEvidenceScopeServer(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"
):
    server_id: str


class RuntimeMonitoringSamplesListResponseSamplesItemScopeEvidenceScopeProject(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"
):
    project_id: str


class RuntimeMonitoringSamplesListResponseSamplesItemScopeEvidenceScopeResource(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"
):
    resource_id: str


class RuntimeMonitoringSamplesListResponseSamplesItemScopeEvidenceScopeDeployment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"
):
    deployment_id: str


class RuntimeMonitoringSamplesListResponseSamplesItemScopeEvidence(Struct, kw_only=True, rename="camel"):
    scope: (
        RuntimeMonitoringSamplesListResponseSamplesItemScopeEvidenceScopeServer
        | RuntimeMonitoringSamplesListResponseSamplesItemScopeEvidenceScopeProject
        | RuntimeUsageScope
        | RuntimeMonitoringSamplesListResponseSamplesItemScopeEvidenceScopeResource
        | RuntimeMonitoringSamplesListResponseSamplesItemScopeEvidenceScopeDeployment
    )
    server_id: str | UnsetType = UNSET
    project_id: str | UnsetType = UNSET
    environment_id: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET


class RuntimeMonitoringSamplesListResponseSamplesItemLabels(Struct, kw_only=True, rename="camel"):
    provider_key: str | UnsetType = UNSET
    artifact_kind: RuntimeUsageKind | UnsetType = UNSET
    runtime_id: str | UnsetType = UNSET


class RuntimeMonitoringSamplesListResponseSamplesItem(Struct, kw_only=True, rename="camel"):
    sample_id: str
    observed_at: str
    collected_at: str
    scope_evidence: RuntimeMonitoringSamplesListResponseSamplesItemScopeEvidence
    totals: Totals
    freshness: Literal["live", "recent-sample", "stale", "unknown"]
    partial: bool
    labels: RuntimeMonitoringSamplesListResponseSamplesItemLabels
    warnings: list[Warning3]
    source_errors: list[SourceError2]


class RuntimeMonitoringSamplesListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["runtime-monitoring.samples.list/v1"] = "runtime-monitoring.samples.list/v1"
    scope: (
        RuntimeMonitoringSamplesListResponseScopeServer
        | RuntimeMonitoringSamplesListResponseScopeProject
        | RuntimeUsageScope
        | RuntimeMonitoringSamplesListResponseScopeResource
        | RuntimeMonitoringSamplesListResponseScopeDeployment
    )
    from_: str
    to: str
    generated_at: str
    freshness: Literal["live", "recent-sample", "stale", "unknown"]
    partial: bool
    retention: Retention
    samples: list[RuntimeMonitoringSamplesListResponseSamplesItem]
    warnings: list[Warning3]
    source_errors: list[SourceError2]


class RuntimeMonitoringRollupQueryScopeServer(Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"):
    server_id: Text


class RuntimeMonitoringRollupQueryScopeProject(Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"):
    project_id: Text


class RuntimeMonitoringRollupQueryScopeEnvironment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="environment"
):
    environment_id: Text


class RuntimeMonitoringRollupQueryScopeResource(Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"):
    resource_id: Text


class RuntimeMonitoringRollupQueryScopeDeployment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"
):
    deployment_id: Text


class RuntimeMonitoringRollupQueryWindow(Struct, kw_only=True, rename="camel"):
    from_: DateTime | UnsetType = UNSET
    to: DateTime | UnsetType = UNSET


class RuntimeMonitoringRollupQuery(Struct, kw_only=True, rename="camel"):
    scope: (
        RuntimeMonitoringRollupQueryScopeServer
        | RuntimeMonitoringRollupQueryScopeProject
        | RuntimeMonitoringRollupQueryScopeEnvironment
        | RuntimeMonitoringRollupQueryScopeResource
        | RuntimeMonitoringRollupQueryScopeDeployment
        | UnsetType
    ) = UNSET
    window: RuntimeMonitoringRollupQueryWindow | UnsetType = UNSET
    bucket: Literal["minute", "five-minute", "hour"]
    signals: list[Literal["cpu", "memory", "disk", "inode", "docker", "network"]] | UnsetType = UNSET
    include_deployment_markers: bool = True
    include_top_contributors: bool = True
    dotted_scope_kind: Literal["server", "project", "environment", "resource", "deployment"] | UnsetType = field(
        name="scope.kind", default=UNSET
    )
    dotted_scope_server_id: Text | UnsetType = field(name="scope.serverId", default=UNSET)
    dotted_window_from: DateTime | UnsetType = field(name="window.from", default=UNSET)
    dotted_window_to: DateTime | UnsetType = field(name="window.to", default=UNSET)
    dotted_scope_project_id: Text | UnsetType = field(name="scope.projectId", default=UNSET)
    dotted_scope_environment_id: Text | UnsetType = field(name="scope.environmentId", default=UNSET)
    dotted_scope_resource_id: Text | UnsetType = field(name="scope.resourceId", default=UNSET)
    dotted_scope_deployment_id: Text | UnsetType = field(name="scope.deploymentId", default=UNSET)


class RuntimeMonitoringRollupResponseScopeServer(Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"):
    server_id: str


class RuntimeMonitoringRollupResponseScopeProject(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"
):
    project_id: str


class RuntimeMonitoringRollupResponseScopeResource(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"
):
    resource_id: str


class RuntimeMonitoringRollupResponseScopeDeployment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"
):
    deployment_id: str


class RuntimeMonitoringRollupResponseSeriesItemPointsItem(Struct, kw_only=True, rename="camel"):
    from_: str
    to: str
    sample_count: float
    totals: Totals


class RuntimeMonitoringRollupResponseSeriesItem(Struct, kw_only=True, rename="camel"):
    signal: Literal["cpu", "memory", "disk", "inode", "docker", "network"]
    points: list[RuntimeMonitoringRollupResponseSeriesItemPointsItem]


class RuntimeMonitoringRollupResponseTopContributorsItemScopeServer(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"
):
    server_id: str


class RuntimeMonitoringRollupResponseTopContributorsItemScopeProject(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"
):
    project_id: str


class RuntimeMonitoringRollupResponseTopContributorsItemScopeResource(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"
):
    resource_id: str


class RuntimeMonitoringRollupResponseTopContributorsItemScopeDeployment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"
):
    deployment_id: str


class RuntimeMonitoringRollupResponseTopContributorsItem(Struct, kw_only=True, rename="camel"):
    scope: (
        RuntimeMonitoringRollupResponseTopContributorsItemScopeServer
        | RuntimeMonitoringRollupResponseTopContributorsItemScopeProject
        | RuntimeUsageScope
        | RuntimeMonitoringRollupResponseTopContributorsItemScopeResource
        | RuntimeMonitoringRollupResponseTopContributorsItemScopeDeployment
    )
    totals: Totals
    sample_count: float


class RuntimeMonitoringRollupResponseDeploymentMarkersItem(Struct, kw_only=True, rename="camel"):
    deployment_id: str
    resource_id: str | UnsetType = UNSET
    environment_id: str | UnsetType = UNSET
    observed_at: str
    status: str
    label: str
    correlation: Literal["time"] = "time"


class RuntimeMonitoringRollupResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["runtime-monitoring.rollup/v1"] = "runtime-monitoring.rollup/v1"
    scope: (
        RuntimeMonitoringRollupResponseScopeServer
        | RuntimeMonitoringRollupResponseScopeProject
        | RuntimeUsageScope
        | RuntimeMonitoringRollupResponseScopeResource
        | RuntimeMonitoringRollupResponseScopeDeployment
    )
    from_: str
    to: str
    bucket: Literal["minute", "five-minute", "hour"]
    generated_at: str
    freshness: Literal["live", "recent-sample", "stale", "unknown"]
    partial: bool
    retention: Retention
    series: list[RuntimeMonitoringRollupResponseSeriesItem]
    totals: Totals
    top_contributors: list[RuntimeMonitoringRollupResponseTopContributorsItem]
    deployment_markers: list[RuntimeMonitoringRollupResponseDeploymentMarkersItem]
    warnings: list[Warning3]
    source_errors: list[SourceError2]


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
    dotted_scope_kind: Literal["server", "project", "environment", "resource", "deployment"] | UnsetType = field(
        name="scope.kind", default=UNSET
    )
    dotted_scope_server_id: Text | UnsetType = field(name="scope.serverId", default=UNSET)
    dotted_window_from: DateTime | UnsetType = field(name="window.from", default=UNSET)
    dotted_window_to: DateTime | UnsetType = field(name="window.to", default=UNSET)
    dotted_scope_project_id: Text | UnsetType = field(name="scope.projectId", default=UNSET)
    dotted_scope_environment_id: Text | UnsetType = field(name="scope.environmentId", default=UNSET)
    dotted_scope_resource_id: Text | UnsetType = field(name="scope.resourceId", default=UNSET)
    dotted_scope_deployment_id: Text | UnsetType = field(name="scope.deploymentId", default=UNSET)


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
