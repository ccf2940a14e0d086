"""Shapes below /api/deployments. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.deployments_shapes import (
    DependencyBindingReference,
    DependencyBindings,
    EnvironmentSnapshot,
    Log2,
    RuntimePlan,
)


class DeploymentsListQuery(Struct, kw_only=True, rename="camel"):
    project_id: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    include_archived: bool = False
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class DeploymentsListResponseItemsItem(Struct, kw_only=True, rename="camel"):
    id: str
    project_id: str
    environment_id: str
    resource_id: str
    server_id: str
    destination_id: str
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
    trigger_kind: Literal["create", "retry", "redeploy", "rollback"] | UnsetType = UNSET
    source_deployment_id: str | UnsetType = UNSET
    rollback_candidate_deployment_id: str | UnsetType = UNSET
    source_commit_sha: str | UnsetType = UNSET
    runtime_plan: RuntimePlan
    environment_snapshot: EnvironmentSnapshot
    dependency_binding_references: list[DependencyBindingReference] | UnsetType = UNSET
    logs: list[Log2]
    log_count: float
    created_at: str
    started_at: str | UnsetType = UNSET
    finished_at: str | UnsetType = UNSET
    archived_at: str | UnsetType = UNSET
    rollback_of_deployment_id: str | UnsetType = UNSET


class DeploymentsListResponse(Struct, kw_only=True, rename="camel"):
    items: list[DeploymentsListResponseItemsItem]


class DeploymentsCreateResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DeploymentsShowQuery(Struct, kw_only=True, rename="camel"):
    include_timeline: bool | UnsetType = UNSET
    include_snapshot: bool | UnsetType = UNSET
    include_related_context: bool | UnsetType = UNSET
    include_latest_failure: bool | UnsetType = UNSET
    include_recovery_summary: bool | UnsetType = UNSET


class DeploymentsShowResponseDeployment(Struct, kw_only=True, rename="camel"):
    id: str
    project_id: str
    environment_id: str
    resource_id: str
    server_id: str
    destination_id: str
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
    trigger_kind: Literal["create", "retry", "redeploy", "rollback"] | UnsetType = UNSET
    source_deployment_id: str | UnsetType = UNSET
    rollback_candidate_deployment_id: str | UnsetType = UNSET
    source_commit_sha: str | UnsetType = UNSET
    runtime_plan: RuntimePlan
    environment_snapshot: EnvironmentSnapshot
    dependency_binding_references: list[DependencyBindingReference] | UnsetType = UNSET
    log_count: float
    created_at: str
    started_at: str | UnsetType = UNSET
    finished_at: str | UnsetType = UNSET
    archived_at: str | UnsetType = UNSET
    rollback_of_deployment_id: str | UnsetType = UNSET


class DeploymentsShowResponseStatus(Struct, kw_only=True, rename="camel"):
    current: Literal[
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
    rollback_of_deployment_id: str | UnsetType = UNSET


class DeploymentsShowResponseRelatedContextProject(Struct, kw_only=True, rename="camel"):
    id: str
    name: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET


class DeploymentsShowResponseRelatedContextEnvironment(Struct, kw_only=True, rename="camel"):
    id: str
    name: str | UnsetType = UNSET
    kind: Literal["local", "development", "test", "staging", "production", "preview", "custom"] | UnsetType = UNSET


class DeploymentsShowResponseRelatedContextResource(Struct, kw_only=True, rename="camel"):
    id: str
    name: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    kind: (
        Literal["application", "service", "database", "cache", "compose-stack", "worker", "static-site", "external"]
        | UnsetType
    ) = UNSET


class DeploymentsShowResponseRelatedContextServer(Struct, kw_only=True, rename="camel"):
    id: str
    name: str | UnsetType = UNSET
    host: str | UnsetType = UNSET
    port: float | UnsetType = UNSET
    provider_key: str | UnsetType = UNSET


class DeploymentsShowResponseRelatedContextDestination(Struct, kw_only=True, rename="camel"):
    id: str


class DeploymentsShowResponseRelatedContext(Struct, kw_only=True, rename="camel"):
    project: DeploymentsShowResponseRelatedContextProject
    environment: DeploymentsShowResponseRelatedContextEnvironment
    resource: DeploymentsShowResponseRelatedContextResource
    server: DeploymentsShowResponseRelatedContextServer
    destination: DeploymentsShowResponseRelatedContextDestination


class DeploymentsShowResponseSnapshot(Struct, kw_only=True, rename="camel"):
    runtime_plan: RuntimePlan
    environment_snapshot: EnvironmentSnapshot
    dependency_bindings: DependencyBindings | UnsetType = UNSET


class DeploymentsShowResponseTimeline(Struct, kw_only=True, rename="camel"):
    created_at: str
    started_at: str | UnsetType = UNSET
    finished_at: str | UnsetType = UNSET
    log_count: Annotated[int, Meta(ge=0)]


class DeploymentsShowResponseLatestFailure(Struct, kw_only=True, rename="camel"):
    timestamp: str
    source: Literal["appaloft", "application"]
    phase: Literal["detect", "plan", "package", "deploy", "verify", "rollback"]
    level: Literal["debug", "info", "warn", "error"]
    message: str


class DeploymentsShowResponseRecoverySummary(Struct, kw_only=True, rename="camel"):
    source: Literal["deployments.recovery-readiness"] = "deployments.recovery-readiness"
    retryable: bool
    redeployable: bool
    rollback_ready: bool
    rollback_candidate_count: Annotated[int, Meta(ge=0)]
    blocked_reason_codes: list[str]


class DeploymentsShowResponseSectionErrorsItem(Struct, kw_only=True, rename="camel"):
    section: Literal["related-context", "timeline", "snapshot", "latest-failure"]
    code: str
    category: str
    phase: str
    retriable: bool
    related_entity_id: str | UnsetType = UNSET
    related_state: str | UnsetType = UNSET


class DeploymentsShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["deployments.show/v1"] = "deployments.show/v1"
    deployment: DeploymentsShowResponseDeployment
    status: DeploymentsShowResponseStatus
    related_context: DeploymentsShowResponseRelatedContext | UnsetType = UNSET
    snapshot: DeploymentsShowResponseSnapshot | UnsetType = UNSET
    timeline: DeploymentsShowResponseTimeline | UnsetType = UNSET
    latest_failure: DeploymentsShowResponseLatestFailure | UnsetType = UNSET
    recovery_summary: DeploymentsShowResponseRecoverySummary | UnsetType = UNSET
    next_actions: list[Literal["logs", "resource-detail", "resource-health", "diagnostic-summary"]]
    section_errors: list[DeploymentsShowResponseSectionErrorsItem]
    generated_at: str
