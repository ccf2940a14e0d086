"""Shapes below /api/runtime-monitoring. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.deploy.wire.runtime_monitoring_shapes import Retention, SourceError2, Warning3
from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text
from quarterdeck.surfaces.deploy.wire.usage import RuntimeUsageKind, RuntimeUsageScope, Totals


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
