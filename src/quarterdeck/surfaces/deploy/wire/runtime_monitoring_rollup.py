"""Shapes below /api/runtime-monitoring. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from quarterdeck.surfaces.deploy.wire.runtime_monitoring_shapes import Retention, SourceError2, Warning3
from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text
from quarterdeck.surfaces.deploy.wire.usage import RuntimeUsageScope, Totals


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
