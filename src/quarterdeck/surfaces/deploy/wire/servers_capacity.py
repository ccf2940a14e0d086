"""Shapes below /api/servers. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.deploy.wire.placement import Server2
from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text
from quarterdeck.surfaces.deploy.wire.servers_shapes import RuntimeRoot, ScheduledRuntimePrunePoliciesItem, Warning4


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
    load_average1m: float | None = field(name="loadAverage1m")
    load_average5m: float | None = field(name="loadAverage5m")
    load_average15m: float | None = field(name="loadAverage15m")


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
