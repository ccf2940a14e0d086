"""Shapes below /api/deployments. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.deployments_shapes import (
    DependencyBindings,
    DeploymentsCode,
    DeploymentsCreateBody,
    DeploymentsPruneBody,
    Envelope,
    Envelope2,
    Envelope3,
    EventType,
    Log2,
    Reason,
    ReasonCode,
    Retry,
    WarningRecord,
)
from quarterdeck.surfaces.deploy.wire.runtime import ResourcesKind
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


class DeploymentsPlanQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text
    environment_id: Text
    resource_id: Text
    server_id: Text
    destination_id: Text | UnsetType = UNSET
    include_access_plan: bool | UnsetType = UNSET
    include_command_specs: bool | UnsetType = UNSET


class DeploymentsPlanResponseContext(Struct, kw_only=True, rename="camel"):
    project_id: str
    environment_id: str
    resource_id: str
    server_id: str
    destination_id: str
    project_name: str | UnsetType = UNSET
    environment_name: str | UnsetType = UNSET
    resource_name: str | UnsetType = UNSET
    server_name: str | UnsetType = UNSET


class DeploymentsPlanResponseReadiness(Struct, kw_only=True, rename="camel"):
    status: Literal["ready", "blocked", "warning"]
    ready: bool
    reason_codes: list[ReasonCode]


class DeploymentsPlanResponseSource(Struct, kw_only=True, rename="camel"):
    kind: ResourcesKind
    display_name: str
    locator: str
    runtime_family: str | UnsetType = UNSET
    framework: str | UnsetType = UNSET
    package_manager: str | UnsetType = UNSET
    application_shape: str | UnsetType = UNSET
    runtime_version: str | UnsetType = UNSET
    project_name: str | UnsetType = UNSET
    detected_files: list[str]
    detected_scripts: list[str]
    dockerfile_path: str | UnsetType = UNSET
    compose_file_path: str | UnsetType = UNSET
    jar_path: str | UnsetType = UNSET
    reasoning: list[str]


class DeploymentsPlanResponsePlanner(Struct, kw_only=True, rename="camel"):
    planner_key: str
    support_tier: Literal[
        "first-class",
        "generic",
        "custom",
        "explicit-custom",
        "container-native",
        "buildpack-accelerated",
        "unsupported",
        "ambiguous",
        "requires-override",
    ]
    build_strategy: Literal[
        "dockerfile", "compose-deploy", "buildpack", "static-artifact", "prebuilt-image", "workspace-commands"
    ]
    packaging_mode: Literal[
        "split-deploy", "all-in-one-docker", "compose-bundle", "host-process-runtime", "optional-future-binary"
    ]
    target_kind: Literal["single-server", "orchestrator-cluster"]
    target_provider_key: str


class DeploymentsPlanResponseBuildpackEvidenceDetectedBuildpacksItem(Struct, kw_only=True, rename="camel"):
    id: str
    version: str | UnsetType = UNSET


class DeploymentsPlanResponseBuildpackEvidence(Struct, kw_only=True, rename="camel"):
    platform_files: list[str]
    language_families: list[str]
    framework_hints: list[str]
    builder_evidence: list[str]
    detected_buildpacks: list[DeploymentsPlanResponseBuildpackEvidenceDetectedBuildpacksItem]


class DeploymentsPlanResponseBuildpackBuilderPolicy(Struct, kw_only=True, rename="camel"):
    default_builder: str | UnsetType = UNSET
    requested_builder: str | UnsetType = UNSET
    override: Literal["none", "allowed", "blocked"]
    blocked_builders: list[str]


class DeploymentsPlanResponseBuildpackLimitationsItem(Struct, kw_only=True, rename="camel"):
    code: str
    message: str
    fix_path: str | UnsetType = UNSET


class DeploymentsPlanResponseBuildpack(Struct, kw_only=True, rename="camel"):
    status: Literal["selected", "non-winning", "blocked", "disabled", "unavailable"]
    support_tier: Literal["buildpack-accelerated", "unsupported", "ambiguous", "requires-override"]
    evidence: DeploymentsPlanResponseBuildpackEvidence
    builder_policy: DeploymentsPlanResponseBuildpackBuilderPolicy
    artifact_intent: Literal["build-image", "prebuilt-image", "compose-project"] | UnsetType = UNSET
    limitations: list[DeploymentsPlanResponseBuildpackLimitationsItem]


class DeploymentsPlanResponseArtifact(Struct, kw_only=True, rename="camel"):
    kind: Literal[
        "dockerfile-image",
        "static-server-image",
        "compose-project",
        "prebuilt-image",
        "custom-command-image",
        "workspace-image",
    ]
    runtime_artifact_kind: Literal["image", "compose-project"] | UnsetType = UNSET
    runtime_artifact_intent: Literal["build-image", "prebuilt-image", "compose-project"] | UnsetType = UNSET
    image: str | UnsetType = UNSET
    compose_file: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class DeploymentsPlanResponseCommandsItem(Struct, kw_only=True, rename="camel"):
    kind: Literal["install", "build", "package", "start"]
    command: str
    source: Literal["resource-runtime-profile", "planner"]


class DeploymentsPlanResponseNetwork(Struct, kw_only=True, rename="camel"):
    internal_port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    upstream_protocol: Literal["http", "https", "tcp"] | UnsetType = UNSET
    exposure_mode: Literal["none", "direct-port", "reverse-proxy"] | UnsetType = UNSET
    host_port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    target_service_name: str | UnsetType = UNSET


class DeploymentsPlanResponseHealth(Struct, kw_only=True, rename="camel"):
    enabled: bool
    kind: Literal["http", "command", "none"]
    path: str | UnsetType = UNSET
    port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET


class DeploymentsPlanResponseAccess(Struct, kw_only=True, rename="camel"):
    route_source: str | UnsetType = UNSET
    hostname: str | UnsetType = UNSET
    scheme: Literal["http", "https"] | UnsetType = UNSET
    route_count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    route_group_count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class DeploymentsPlanResponseNextActionsItem(Struct, kw_only=True, rename="camel"):
    kind: Literal["query", "command", "workflow-action"]
    target_operation: str
    label: str
    safe_by_default: bool
    blocked_reason_code: ReasonCode | UnsetType = UNSET


class DeploymentsPlanResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["deployments.plan/v1"] = "deployments.plan/v1"
    context: DeploymentsPlanResponseContext
    readiness: DeploymentsPlanResponseReadiness
    source: DeploymentsPlanResponseSource
    planner: DeploymentsPlanResponsePlanner
    buildpack: DeploymentsPlanResponseBuildpack | UnsetType = UNSET
    artifact: DeploymentsPlanResponseArtifact
    commands: list[DeploymentsPlanResponseCommandsItem]
    network: DeploymentsPlanResponseNetwork
    health: DeploymentsPlanResponseHealth
    access: DeploymentsPlanResponseAccess | UnsetType = UNSET
    dependency_bindings: DependencyBindings | UnsetType = UNSET
    warnings: list[WarningRecord]
    unsupported_reasons: list[WarningRecord]
    next_actions: list[DeploymentsPlanResponseNextActionsItem]
    generated_at: str


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


class DeploymentsStreamEventsQuery(Struct, kw_only=True, rename="camel"):
    cursor: Text | UnsetType = UNSET
    history_limit: Annotated[int, Meta(ge=0, le=200)] = 100
    include_history: bool | UnsetType = UNSET
    follow: bool | UnsetType = UNSET
    until_terminal: bool | UnsetType = UNSET


class DeploymentsStreamEventsResponseEnvelopesItemEventEvent(Struct, kw_only=True, rename="camel"):
    deployment_id: str
    sequence: Annotated[int, Meta(gt=0)]
    cursor: str
    emitted_at: str
    source: Literal["domain-event", "process-observation", "progress-projection"]
    event_type: EventType
    phase: Literal["detect", "plan", "package", "deploy", "verify", "rollback"] | UnsetType = UNSET
    status: str | UnsetType = UNSET
    retriable: bool | UnsetType = UNSET
    summary: str | UnsetType = UNSET


class DeploymentsStreamEventsResponseEnvelopesItemEvent(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="event"
):
    schema_version: Literal["deployments.stream-events/v1"] = "deployments.stream-events/v1"
    event: DeploymentsStreamEventsResponseEnvelopesItemEventEvent


class DeploymentsStreamEventsResponseEnvelopesItemGapGap(Struct, kw_only=True, rename="camel"):
    code: str
    phase: Literal["event-replay", "live-follow"]
    retriable: bool
    cursor: str | UnsetType = UNSET
    last_sequence: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    recommended_action: Literal["restart-stream", "open-deployment-detail"] | UnsetType = UNSET


class DeploymentsStreamEventsResponseEnvelopesItemGap(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="gap"
):
    schema_version: Literal["deployments.stream-events/v1"] = "deployments.stream-events/v1"
    gap: DeploymentsStreamEventsResponseEnvelopesItemGapGap


class DeploymentsStreamEventsResponse(Struct, kw_only=True, rename="camel"):
    deployment_id: str
    envelopes: list[
        DeploymentsStreamEventsResponseEnvelopesItemEvent
        | Envelope3
        | DeploymentsStreamEventsResponseEnvelopesItemGap
        | Envelope2
        | Envelope
    ]


class DeploymentsStreamEventsStreamQuery(Struct, kw_only=True, rename="camel"):
    cursor: Text | UnsetType = UNSET
    history_limit: Annotated[int, Meta(ge=0, le=200)] = 100
    include_history: bool | UnsetType = UNSET
    follow: bool | UnsetType = UNSET
    until_terminal: bool | UnsetType = UNSET


class DeploymentsStreamEventsStreamResponseEventEvent(Struct, kw_only=True, rename="camel"):
    deployment_id: str
    sequence: Annotated[int, Meta(gt=0, le=9007199254740991)]
    cursor: str
    emitted_at: str
    source: Literal["domain-event", "process-observation", "progress-projection"]
    event_type: EventType
    phase: Literal["detect", "plan", "package", "deploy", "verify", "rollback"] | UnsetType = UNSET
    status: str | UnsetType = UNSET
    retriable: bool | UnsetType = UNSET
    summary: str | UnsetType = UNSET


class DeploymentsStreamEventsStreamResponseEvent(Struct, kw_only=True, rename="camel", tag_field="kind", tag="event"):
    schema_version: Literal["deployments.stream-events/v1"] = "deployments.stream-events/v1"
    event: DeploymentsStreamEventsStreamResponseEventEvent


class DeploymentsStreamEventsStreamResponseGapGap(Struct, kw_only=True, rename="camel"):
    code: str
    phase: Literal["event-replay", "live-follow"]
    retriable: bool
    cursor: str | UnsetType = UNSET
    last_sequence: Annotated[int, Meta(gt=0, le=9007199254740991)] | UnsetType = UNSET
    recommended_action: Literal["restart-stream", "open-deployment-detail"] | UnsetType = UNSET


class DeploymentsStreamEventsStreamResponseGap(Struct, kw_only=True, rename="camel", tag_field="kind", tag="gap"):
    schema_version: Literal["deployments.stream-events/v1"] = "deployments.stream-events/v1"
    gap: DeploymentsStreamEventsStreamResponseGapGap


DeploymentsStreamEventsStreamResponse = (
    DeploymentsStreamEventsStreamResponseEvent
    | Envelope3
    | DeploymentsStreamEventsStreamResponseGap
    | Envelope2
    | Envelope
)


class DeploymentsStreamEventsStreamDone(Struct, kw_only=True, rename="camel"):
    deployment_id: str
