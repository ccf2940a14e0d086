"""Shapes below /api/deployments. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.deployments_shapes import (
    DeploymentsCode,
    DeploymentsCreateBody,
    DeploymentsPruneBody,
    Log2,
    Reason,
    Retry,
)
from quarterdeck.surfaces.deploy.wire.scalars import Text


class DeploymentsCountQuery(Struct, kw_only=True, rename="camel"):
    project_id: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    include_archived: bool = False
    status: (
        Literal[
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
        | UnsetType
    ) = UNSET
    statuses: (
        list[
            Literal[
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
        ]
        | UnsetType
    ) = UNSET


class DeploymentsCountResponse(Struct, kw_only=True, rename="camel"):
    count: Annotated[int, Meta(ge=0)]


class DeploymentsCleanupPreviewBodyTrustedContext(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    environment_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    server_id: Text | UnsetType = UNSET
    destination_id: Text | UnsetType = UNSET
    repository_full_name: Text | UnsetType = UNSET
    repository_id: Text | UnsetType = UNSET
    ref: Text | UnsetType = UNSET
    revision: Text | UnsetType = UNSET


class DeploymentsCleanupPreviewBody(Struct, kw_only=True, rename="camel"):
    source_fingerprint: Text
    trusted_context: DeploymentsCleanupPreviewBodyTrustedContext | UnsetType = UNSET


class DeploymentsCleanupPreviewResponse(Struct, kw_only=True, rename="camel"):
    source_fingerprint: str
    status: Literal["cleaned", "already-clean"]
    cleaned_runtime: bool
    cleaned_artifacts: bool | UnsetType = UNSET
    removed_server_applied_route: bool
    removed_source_link: bool
    removed_dependency_bindings: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    deleted_dependency_resources: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    project_id: str | UnsetType = UNSET
    environment_id: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    destination_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET


class DeploymentsRetryBody(Struct, kw_only=True, rename="camel"):
    resource_id: Text | UnsetType = UNSET
    readiness_generated_at: Text | UnsetType = UNSET


class DeploymentsRetryResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DeploymentsRollbackBody(Struct, kw_only=True, rename="camel"):
    rollback_candidate_deployment_id: Text
    resource_id: Text | UnsetType = UNSET
    readiness_generated_at: Text | UnsetType = UNSET


class DeploymentsRollbackResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DeploymentsCancelBody(Struct, kw_only=True, rename="camel"):
    confirm: Text
    resource_id: Text | UnsetType = UNSET


class DeploymentsCancelResponse(Struct, kw_only=True, rename="camel"):
    id: str
    status: Literal["canceled"] = "canceled"
    canceled_at: str


class DeploymentsArchiveBody(Struct, kw_only=True, rename="camel"):
    confirm: Text
    resource_id: Text | UnsetType = UNSET


class DeploymentsArchiveResponse(Struct, kw_only=True, rename="camel"):
    id: str
    archived_at: str


class DeploymentsPruneResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["deployments.prune/v1"] = "deployments.prune/v1"
    before: str
    deployment_id: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    dry_run: bool
    matched_count: float
    pruned_count: float
    guarded_count: float
    affected_deployment_ids: list[str]
    guarded_deployment_ids: list[str]
    pruned_at: str


class DeploymentsRecoveryReadinessQuery(Struct, kw_only=True, rename="camel"):
    resource_id: Text | UnsetType = UNSET
    include_candidates: bool | UnsetType = UNSET
    max_candidates: Annotated[int, Meta(gt=0)] | UnsetType = UNSET


class DeploymentsRecoveryReadinessResponseRollbackCandidatesItem(Struct, kw_only=True, rename="camel"):
    deployment_id: str
    finished_at: str
    status: Literal["succeeded"] = "succeeded"
    source_summary: str | UnsetType = UNSET
    artifact_summary: str | UnsetType = UNSET
    environment_snapshot_id: str | UnsetType = UNSET
    runtime_target_summary: str | UnsetType = UNSET
    rollback_ready: bool
    reasons: list[Reason]


class DeploymentsRecoveryReadinessResponseRollback(Struct, kw_only=True, rename="camel"):
    allowed: bool
    command_active: bool
    reasons: list[Reason]
    candidates: list[DeploymentsRecoveryReadinessResponseRollbackCandidatesItem]
    recommended_candidate_id: str | UnsetType = UNSET


class DeploymentsRecoveryReadinessResponseRecommendedActionsItem(Struct, kw_only=True, rename="camel"):
    kind: Literal["query", "command", "workflow-action"]
    target_operation: Literal[
        "deployments.show",
        "deployments.stream-events",
        "deployments.logs",
        "resources.health",
        "resources.diagnostic-summary",
        "deployments.retry",
        "deployments.redeploy",
        "deployments.rollback",
    ]
    label: str
    safe_by_default: bool
    blocked_reason_code: DeploymentsCode | UnsetType = UNSET
    command_active: bool | UnsetType = UNSET


class DeploymentsRecoveryReadinessResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["deployments.recovery-readiness/v1"] = "deployments.recovery-readiness/v1"
    deployment_id: str
    resource_id: str
    generated_at: str
    state_version: str
    recoverable: bool
    retryable: bool
    redeployable: bool
    rollback_ready: bool
    rollback_candidate_count: Annotated[int, Meta(ge=0)]
    retry: Retry
    redeploy: Retry
    rollback: DeploymentsRecoveryReadinessResponseRollback
    recommended_actions: list[DeploymentsRecoveryReadinessResponseRecommendedActionsItem]


DeploymentsCreateStreamBody = DeploymentsCreateBody


class DeploymentsCreateStreamResponseStep(Struct, kw_only=True, rename="camel"):
    current: float
    total: float
    label: str


class DeploymentsCreateStreamResponse(Struct, kw_only=True, rename="camel"):
    timestamp: str
    source: Literal["appaloft", "application"]
    phase: Literal["detect", "plan", "package", "deploy", "verify", "rollback"]
    level: Literal["debug", "info", "warn", "error"]
    message: str
    deployment_id: str | UnsetType = UNSET
    status: Literal["running", "succeeded", "failed"] | UnsetType = UNSET
    step: DeploymentsCreateStreamResponseStep
    stream: Literal["stdout", "stderr"] | UnsetType = UNSET


class DeploymentsCreateStreamDone(Struct, kw_only=True, rename="camel"):
    id: str


class DeploymentsLogsResponse(Struct, kw_only=True, rename="camel"):
    deployment_id: str
    logs: list[Log2]


DeploymentsLogsPruneBody = DeploymentsPruneBody


class DeploymentsLogsPruneResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["deployments.logs.prune/v1"] = "deployments.logs.prune/v1"
    before: str
    deployment_id: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    dry_run: bool
    matched_count: float
    pruned_count: float
    affected_deployment_count: float
    pruned_at: str
