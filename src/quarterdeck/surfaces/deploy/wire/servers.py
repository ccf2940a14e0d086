"""Shapes below /api/servers. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.deploy.wire.placement import Server2
from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text


class Check2(Struct, kw_only=True, rename="camel"):
    name: str
    status: Literal["passed", "failed", "skipped"]
    message: str
    duration_ms: float
    metadata: dict[str, str] | UnsetType = UNSET


class Credential(Struct, kw_only=True, rename="camel"):
    kind: Literal["local-ssh-agent", "ssh-private-key"]
    credential_id: str | UnsetType = UNSET
    credential_name: str | UnsetType = UNSET
    username: str | UnsetType = UNSET
    public_key_configured: bool
    private_key_configured: bool


class Credential2(Struct, kw_only=True, rename="camel", tag_field="kind", tag="ssh-private-key"):
    username: Text | UnsetType = UNSET
    public_key: Text | UnsetType = UNSET
    private_key: Text


class Credential3(Struct, kw_only=True, rename="camel", tag_field="kind", tag="stored-ssh-private-key"):
    credential_id: Text
    username: Text | UnsetType = UNSET


class EdgeProxy(Struct, kw_only=True, rename="camel"):
    kind: Literal["none", "traefik", "caddy"]
    status: Literal["pending", "starting", "ready", "failed", "disabled"]
    last_attempt_at: str | UnsetType = UNSET
    last_succeeded_at: str | UnsetType = UNSET
    last_error_code: str | UnsetType = UNSET
    last_error_message: str | UnsetType = UNSET


class RuntimeRoot(Struct, kw_only=True, rename="camel"):
    path: str
    size: float | None
    detectable: bool


class ScheduledRuntimePrunePoliciesItem(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-runtime-prune-policies.policy/v1"] = "scheduled-runtime-prune-policies.policy/v1"
    id: str
    version: str
    scope: Literal["defaults", "system", "organization", "project", "environment", "deployment-snapshot"]
    server_id: str
    retention_days: float
    destructive: bool
    categories: list[
        Literal[
            "stopped-containers",
            "preview-workspaces",
            "source-workspaces",
            "docker-build-cache",
            "unused-images",
            "remote-state-markers",
        ]
    ]
    category_count: float
    retry_on_failure: bool
    enabled: bool
    updated_at: str


ServersCapacityCode = Literal[
    "full-disk",
    "high-disk-usage",
    "high-inode-usage",
    "docker-unavailable",
    "timeout",
    "partial-diagnostic",
    "unsupported-provider",
    "audit-record-failed",
]


class ServersItem(Struct, kw_only=True, rename="camel"):
    id: str
    name: str
    host: str
    port: float
    provider_key: str
    target_kind: Literal["single-server", "orchestrator-cluster"]
    lifecycle_status: Literal["active", "inactive"]
    deactivated_at: str | UnsetType = UNSET
    deactivation_reason: str | UnsetType = UNSET
    edge_proxy: EdgeProxy | UnsetType = UNSET
    credential: Credential | UnsetType = UNSET
    created_at: str


class ServersTestConnectivityResponse(Struct, kw_only=True, rename="camel"):
    server_id: str
    name: str
    host: str
    port: float
    provider_key: str
    checked_at: str
    status: Literal["healthy", "degraded", "unreachable"]
    checks: list[Check2]


class Warning4(Struct, kw_only=True, rename="camel"):
    code: ServersCapacityCode
    message: str
    path: str | UnsetType = UNSET
    mount: str | UnsetType = UNSET
    resource: Literal["disk", "inode", "docker", "memory", "cpu", "appaloft-runtime"] | UnsetType = UNSET


class ServersCountResponse(Struct, kw_only=True, rename="camel"):
    count: Annotated[int, Meta(ge=0)]


class ServersListQuery(Struct, kw_only=True, rename="camel"):
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class ServersListResponse(Struct, kw_only=True, rename="camel"):
    items: list[ServersItem]


class ServersRegisterBody(Struct, kw_only=True, rename="camel"):
    name: Text
    host: Text
    provider_key: Text
    target_kind: Literal["single-server", "orchestrator-cluster"] = "single-server"
    port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    proxy_kind: Literal["none", "traefik", "caddy"] = "traefik"


class ServersRegisterResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ServersShowQuery(Struct, kw_only=True, rename="camel"):
    include_rollups: bool | UnsetType = UNSET


class ServersShowResponseRollupsResources(Struct, kw_only=True, rename="camel"):
    total: float
    deployed_resource_ids: list[str]


class ServersShowResponseRollupsDeploymentsStatusCountsItem(Struct, kw_only=True, rename="camel"):
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
    count: float


class ServersShowResponseRollupsDeployments(Struct, kw_only=True, rename="camel"):
    total: float
    status_counts: list[ServersShowResponseRollupsDeploymentsStatusCountsItem]
    latest_deployment_id: str | UnsetType = UNSET
    latest_deployment_status: (
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


class ServersShowResponseRollupsDomainsStatusCountsItem(Struct, kw_only=True, rename="camel"):
    status: Literal[
        "requested", "pending_verification", "bound", "certificate_pending", "ready", "not_ready", "failed", "deleted"
    ]
    count: float


class ServersShowResponseRollupsDomains(Struct, kw_only=True, rename="camel"):
    total: float
    status_counts: list[ServersShowResponseRollupsDomainsStatusCountsItem]
    latest_domain_binding_id: str | UnsetType = UNSET
    latest_domain_binding_status: (
        Literal[
            "requested",
            "pending_verification",
            "bound",
            "certificate_pending",
            "ready",
            "not_ready",
            "failed",
            "deleted",
        ]
        | UnsetType
    ) = UNSET


class ServersShowResponseRollups(Struct, kw_only=True, rename="camel"):
    resources: ServersShowResponseRollupsResources
    deployments: ServersShowResponseRollupsDeployments
    domains: ServersShowResponseRollupsDomains


class ServersShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["servers.show/v1"] = "servers.show/v1"
    server: ServersItem
    rollups: ServersShowResponseRollups | UnsetType = UNSET
    generated_at: str


class ServersDeleteBodyConfirmation(Struct, kw_only=True, rename="camel"):
    server_id: Text


class ServersDeleteBody(Struct, kw_only=True, rename="camel"):
    confirmation: ServersDeleteBodyConfirmation
    idempotency_key: Text | UnsetType = UNSET


class ServersDeleteResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ServersCapacityInspectResponseDiskItem(Struct, kw_only=True, rename="camel"):
    path: str
    mount: str
    size: float
    used: float
    available: float
    use_percent: float


class ServersCapacityInspectResponseInodesItem(Struct, kw_only=True, rename="camel"):
    path: str
    mount: str
    used: float
    free: float
    use_percent: float


class ServersCapacityInspectResponseDocker(Struct, kw_only=True, rename="camel"):
    images_size: float
    reclaimable_images_size: float
    build_cache_size: float
    reclaimable_build_cache_size: float
    containers_size: float
    volumes_size: float


class ServersCapacityInspectResponseMemory(Struct, kw_only=True, rename="camel"):
    total: float | None
    available: float | None
    used: float | None
    use_percent: float | None


class ServersCapacityInspectResponseCpu(Struct, kw_only=True, rename="camel"):
    logical_cores: float | None
    load_average1m: float | None
    load_average5m: float | None
    load_average15m: float | None


class ServersCapacityInspectResponseAppaloftRuntime(Struct, kw_only=True, rename="camel"):
    runtime_root: RuntimeRoot
    state_root: RuntimeRoot
    source_workspace: RuntimeRoot


class ServersCapacityInspectResponseAppaloftContainersItem(Struct, kw_only=True, rename="camel"):
    id: str
    name: str
    running: bool
    status: str
    writable_bytes: float | None
    deployment_id: str | UnsetType = UNSET
    project_id: str | UnsetType = UNSET
    environment_id: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    destination_id: str | UnsetType = UNSET
    artifact_kind: str | UnsetType = UNSET


class ServersCapacityInspectResponseAppaloftWorkspacesItem(Struct, kw_only=True, rename="camel"):
    deployment_id: str
    path: str
    bytes: float | None
    active_marker: bool
    rollback_candidate_marker: bool


class ServersCapacityInspectResponseSafeReclaimableEstimate(Struct, kw_only=True, rename="camel"):
    stopped_containers_size: float
    dangling_images_size: float
    old_build_cache_size: float
    old_preview_workspace_candidates_size: float
    total: float


class ServersCapacityInspectResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["servers.capacity.inspect/v1"] = "servers.capacity.inspect/v1"
    server: Server2
    inspected_at: str
    disk: list[ServersCapacityInspectResponseDiskItem]
    inodes: list[ServersCapacityInspectResponseInodesItem]
    docker: ServersCapacityInspectResponseDocker
    memory: ServersCapacityInspectResponseMemory
    cpu: ServersCapacityInspectResponseCpu
    appaloft_runtime: ServersCapacityInspectResponseAppaloftRuntime
    appaloft_containers: list[ServersCapacityInspectResponseAppaloftContainersItem]
    appaloft_workspaces: list[ServersCapacityInspectResponseAppaloftWorkspacesItem]
    safe_reclaimable_estimate: ServersCapacityInspectResponseSafeReclaimableEstimate
    warnings: list[Warning4]
    partial: bool


class ServersCapacityPruneBody(Struct, kw_only=True, rename="camel"):
    before: DateTime
    categories: Annotated[
        list[
            Literal[
                "stopped-containers",
                "preview-workspaces",
                "source-workspaces",
                "docker-build-cache",
                "unused-images",
                "remote-state-markers",
            ]
        ],
        Meta(min_length=1),
    ] = field(default_factory=lambda: ["stopped-containers", "preview-workspaces", "source-workspaces"])
    dry_run: bool = True


class ServersCapacityPruneResponseSummary(Struct, kw_only=True, rename="camel"):
    inspected_count: float
    matched_count: float
    pruned_count: float
    skipped_count: float
    excluded_count: float
    reclaimed_bytes: float
    reported_candidate_count: float | UnsetType = UNSET
    omitted_candidate_count: float | UnsetType = UNSET
    output_limit: float | UnsetType = UNSET


class ServersCapacityPruneResponseCandidatesItem(Struct, kw_only=True, rename="camel"):
    id: str
    category: Literal[
        "stopped-containers",
        "preview-workspaces",
        "source-workspaces",
        "docker-build-cache",
        "unused-images",
        "remote-state-markers",
    ]
    target: str
    updated_at: str | None
    size: float | None
    action: Literal["matched", "pruned", "skipped", "excluded"]
    skipped_reason: (
        Literal[
            "active-runtime",
            "rollback-candidate",
            "cutoff-not-reached",
            "ownership-unproven",
            "unsupported-category",
            "volume-excluded",
            "state-root-excluded",
            "remote-state-excluded",
            "safety-evidence-missing",
        ]
        | UnsetType
    ) = UNSET


class ServersCapacityPruneResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["servers.capacity.prune/v1"] = "servers.capacity.prune/v1"
    server: Server2
    before: str
    categories: list[
        Literal[
            "stopped-containers",
            "preview-workspaces",
            "source-workspaces",
            "docker-build-cache",
            "unused-images",
            "remote-state-markers",
        ]
    ]
    dry_run: bool
    pruned_at: str
    summary: ServersCapacityPruneResponseSummary
    candidates: list[ServersCapacityPruneResponseCandidatesItem]
    warnings: list[Warning4]


class ScheduledRuntimePrunePoliciesListQuery(Struct, kw_only=True, rename="camel"):
    server_id: Text | UnsetType = UNSET
    scope: (
        Literal["defaults", "system", "organization", "project", "environment", "deployment-snapshot"] | UnsetType
    ) = UNSET
    enabled_only: bool | UnsetType = UNSET


class ScheduledRuntimePrunePoliciesListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-runtime-prune-policies.list/v1"] = "scheduled-runtime-prune-policies.list/v1"
    items: list[ScheduledRuntimePrunePoliciesItem]


class ScheduledRuntimePrunePoliciesConfigureBody(Struct, kw_only=True, rename="camel"):
    policy_id: Text | UnsetType = UNSET
    version: Text = "v1"
    scope: Literal["defaults", "system", "organization", "project", "environment", "deployment-snapshot"]
    server_id: Text = "*"
    retention_days: Annotated[int, Meta(ge=1)]
    destructive: bool = False
    categories: Annotated[
        list[
            Literal[
                "stopped-containers",
                "preview-workspaces",
                "source-workspaces",
                "docker-build-cache",
                "unused-images",
                "remote-state-markers",
            ]
        ],
        Meta(min_length=1),
    ] = field(default_factory=lambda: ["stopped-containers"])
    retry_on_failure: bool = True
    enabled: bool = True


class ScheduledRuntimePrunePoliciesConfigureResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ScheduledRuntimePrunePoliciesShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-runtime-prune-policies.show/v1"] = "scheduled-runtime-prune-policies.show/v1"
    policy: ScheduledRuntimePrunePoliciesItem | None


class ServersRenameBody(Struct, kw_only=True, rename="camel"):
    name: Text
    idempotency_key: Text | UnsetType = UNSET


class ServersRenameResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ServersConfigureEdgeProxyBody(Struct, kw_only=True, rename="camel"):
    proxy_kind: Literal["none", "traefik", "caddy"]
    idempotency_key: Text | UnsetType = UNSET


class ServersConfigureEdgeProxyResponseEdgeProxy(Struct, kw_only=True, rename="camel"):
    kind: Literal["none", "traefik", "caddy"]
    status: Literal["pending", "starting", "ready", "failed", "disabled"]


class ServersConfigureEdgeProxyResponse(Struct, kw_only=True, rename="camel"):
    id: str
    edge_proxy: ServersConfigureEdgeProxyResponseEdgeProxy


class ServersDeactivateBody(Struct, kw_only=True, rename="camel"):
    reason: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class ServersDeactivateResponse(Struct, kw_only=True, rename="camel"):
    id: str


class ServersDeleteCheckResponseBlockersItem(Struct, kw_only=True, rename="camel"):
    kind: Literal[
        "active-server",
        "deployment-history",
        "active-deployment",
        "resource-placement",
        "domain-binding",
        "certificate",
        "credential",
        "source-link",
        "server-applied-route",
        "default-access-policy",
        "terminal-session",
        "runtime-task",
        "runtime-log-retention",
        "audit-retention",
    ]
    related_entity_id: str | UnsetType = UNSET
    related_entity_type: str | UnsetType = UNSET
    count: float | UnsetType = UNSET


class ServersDeleteCheckResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["servers.delete-check/v1"] = "servers.delete-check/v1"
    server_id: str
    lifecycle_status: Literal["active", "inactive"]
    eligible: bool
    blockers: list[ServersDeleteCheckResponseBlockersItem]
    checked_at: str


class ServersConfigureCredentialBodyCredentialLocalSshAgent(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="local-ssh-agent"
):
    username: Text | UnsetType = UNSET


class ServersConfigureCredentialBody(Struct, kw_only=True, rename="camel"):
    credential: ServersConfigureCredentialBodyCredentialLocalSshAgent | Credential2 | Credential3


class ServersTestDraftConnectivityBodyServerCredentialLocalSshAgent(
    Struct, kw_only=True, rename="camel", tag_field="kind", tag="local-ssh-agent"
):
    username: Text | UnsetType = UNSET


class ServersTestDraftConnectivityBodyServer(Struct, kw_only=True, rename="camel"):
    name: Text | UnsetType = UNSET
    host: Text
    provider_key: Text
    port: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    credential: (
        ServersTestDraftConnectivityBodyServerCredentialLocalSshAgent | Credential2 | Credential3 | UnsetType
    ) = UNSET


class ServersTestDraftConnectivityBody(Struct, kw_only=True, rename="camel"):
    server: ServersTestDraftConnectivityBodyServer


ServersTestDraftConnectivityResponse = ServersTestConnectivityResponse


class ServersBootstrapProxyBody(Struct, kw_only=True, rename="camel"):
    edge_proxy_provider_key: Text | UnsetType = UNSET
    attempt_id: Text | UnsetType = UNSET
    reason: Literal["repair", "retry", "post-connect", "doctor-follow-up"] = "repair"


class ServersBootstrapProxyResponse(Struct, kw_only=True, rename="camel"):
    server_id: Text
    attempt_id: Text
