"""Shapes below /api/runtime-usage. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from quarterdeck.surfaces.deploy.wire.scalars import Text
from quarterdeck.surfaces.deploy.wire.usage import RuntimeUsageKind, RuntimeUsageScope, Totals

RuntimeUsageCode = Literal[
    "partial-diagnostic",
    "unsupported-provider",
    "docker-unavailable",
    "timeout",
    "ownership-unproven",
    "missing-metric-source",
    "stale-observation",
]


class Warning2ScopeServer(Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"):
    server_id: str


class Warning2ScopeProject(Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"):
    project_id: str


class Warning2ScopeResource(Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"):
    resource_id: str


class Warning2ScopeDeployment(Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"):
    deployment_id: str


class Warning2(Struct, kw_only=True, rename="camel"):
    code: RuntimeUsageCode
    message: str
    scope: (
        Warning2ScopeServer
        | Warning2ScopeProject
        | RuntimeUsageScope
        | Warning2ScopeResource
        | Warning2ScopeDeployment
        | UnsetType
    ) = UNSET
    resource: Literal["cpu", "memory", "disk", "inode", "docker", "network", "ownership"] | UnsetType = UNSET


class ByProjectItemScopeServer(Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"):
    server_id: str


class ByProjectItemScopeProject(Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"):
    project_id: str


class ByProjectItemScopeResource(Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"):
    resource_id: str


class ByProjectItemScopeDeployment(Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"):
    deployment_id: str


class ByProjectItem(Struct, kw_only=True, rename="camel"):
    scope: (
        ByProjectItemScopeServer
        | ByProjectItemScopeProject
        | RuntimeUsageScope
        | ByProjectItemScopeResource
        | ByProjectItemScopeDeployment
    )
    ownership: Literal["attributed", "partially-attributed", "unattributed", "unknown"]
    totals: Totals
    current_deployment_id: str | UnsetType = UNSET
    current_runtime_id: str | UnsetType = UNSET
    artifact_count: float | UnsetType = UNSET
    warnings: list[Warning2]


class RuntimeUsageInspectQueryScopeServer(Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"):
    server_id: Text


class RuntimeUsageInspectQueryScopeProject(Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"):
    project_id: Text


class RuntimeUsageInspectQueryScopeEnvironment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="environment"
):
    environment_id: Text


class RuntimeUsageInspectQueryScopeResource(Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"):
    resource_id: Text


class RuntimeUsageInspectQueryScopeDeployment(Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"):
    deployment_id: Text


class RuntimeUsageInspectQuery(Struct, kw_only=True, rename="camel"):
    scope: (
        RuntimeUsageInspectQueryScopeServer
        | RuntimeUsageInspectQueryScopeProject
        | RuntimeUsageInspectQueryScopeEnvironment
        | RuntimeUsageInspectQueryScopeResource
        | RuntimeUsageInspectQueryScopeDeployment
        | UnsetType
    ) = UNSET
    mode: Literal["current"] = "current"
    include_artifacts: bool = True
    include_warnings: bool = True
    scope_kind: Literal["server", "project", "environment", "resource", "deployment"] | UnsetType = UNSET
    server_id: Text | UnsetType = UNSET
    project_id: Text | UnsetType = UNSET
    environment_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    deployment_id: Text | UnsetType = UNSET
    dotted_scope_kind: Literal["server", "project", "environment", "resource", "deployment"] | UnsetType = field(
        name="scope.kind", default=UNSET
    )
    dotted_scope_server_id: Text | UnsetType = field(name="scope.serverId", default=UNSET)
    dotted_scope_project_id: Text | UnsetType = field(name="scope.projectId", default=UNSET)
    dotted_scope_environment_id: Text | UnsetType = field(name="scope.environmentId", default=UNSET)
    dotted_scope_resource_id: Text | UnsetType = field(name="scope.resourceId", default=UNSET)
    dotted_scope_deployment_id: Text | UnsetType = field(name="scope.deploymentId", default=UNSET)


class RuntimeUsageInspectResponseScopeServer(Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"):
    server_id: str


class RuntimeUsageInspectResponseScopeProject(Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"):
    project_id: str


class RuntimeUsageInspectResponseScopeResource(Struct, kw_only=True, rename="camel", tag_field="kind", tag="resource"):
    resource_id: str


class RuntimeUsageInspectResponseScopeDeployment(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="deployment"
):
    deployment_id: str


class RuntimeUsageInspectResponseArtifactsItemEvidenceItem(Struct, kw_only=True, rename="camel"):
    source: Literal["label", "deployment-snapshot", "runtime-identity", "workspace-metadata", "read-model"]
    key: str


class RuntimeUsageInspectResponseArtifactsItem(Struct, kw_only=True, rename="camel"):
    kind: RuntimeUsageKind
    ownership: Literal["attributed", "partially-attributed", "unattributed", "unknown"]
    server_id: str | UnsetType = UNSET
    project_id: str | UnsetType = UNSET
    environment_id: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET
    destination_id: str | UnsetType = UNSET
    runtime_id: str | UnsetType = UNSET
    bytes: float | UnsetType = UNSET
    inode_count: float | UnsetType = UNSET
    observed_at: str | UnsetType = UNSET
    evidence: list[RuntimeUsageInspectResponseArtifactsItemEvidenceItem]
    reclaimable: Literal["yes", "no", "unknown"]
    reclaim_blocked_reason: str | UnsetType = UNSET
    warnings: list[Warning2]


class RuntimeUsageInspectResponseSourceErrorsItem(Struct, kw_only=True, rename="camel"):
    source: Literal["runtime-target", "docker", "read-model", "capacity", "workspace", "unknown"]
    code: str
    message: str
    retriable: bool


class RuntimeUsageInspectResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["runtime-usage.inspect/v1"] = "runtime-usage.inspect/v1"
    scope: (
        RuntimeUsageInspectResponseScopeServer
        | RuntimeUsageInspectResponseScopeProject
        | RuntimeUsageScope
        | RuntimeUsageInspectResponseScopeResource
        | RuntimeUsageInspectResponseScopeDeployment
    )
    generated_at: str
    observed_at: str | UnsetType = UNSET
    freshness: Literal["live", "recent-sample", "stale", "unknown"]
    partial: bool
    totals: Totals
    by_project: list[ByProjectItem]
    by_environment: list[ByProjectItem]
    by_resource: list[ByProjectItem]
    by_deployment: list[ByProjectItem]
    artifacts: list[RuntimeUsageInspectResponseArtifactsItem]
    warnings: list[Warning2]
    source_errors: list[RuntimeUsageInspectResponseSourceErrorsItem]
