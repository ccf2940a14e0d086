"""Shapes below /api/dependency-resources. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.bindings import BindingReadiness, Connection
from quarterdeck.surfaces.deploy.wire.scalars import Text

DependencyResourcesKind = Literal[
    "resource-binding",
    "backup-relationship",
    "dependency-resource-backup",
    "provider-managed-unsafe",
    "deployment-snapshot-reference",
]


class Blocker2(Struct, kw_only=True, rename="camel"):
    kind: DependencyResourcesKind
    related_entity_id: str | UnsetType = UNSET
    related_entity_type: str | UnsetType = UNSET
    count: float | UnsetType = UNSET


class Capabilitie(Struct, kw_only=True, rename="camel", tag_field="type", tag="postgres-extension"):
    name: Text
    required: bool = True
    description: Text | UnsetType = UNSET


class Capabilitie2(Struct, kw_only=True, rename="camel", tag_field="type", tag="redis-module"):
    name: Text
    required: bool = True
    description: Text | UnsetType = UNSET


class Capabilitie3(Struct, kw_only=True, rename="camel", tag_field="type", tag="postgres-extension"):
    name: str
    required: bool
    description: str | UnsetType = UNSET


class Capabilitie4(Struct, kw_only=True, rename="camel", tag_field="type", tag="redis-module"):
    name: str
    required: bool
    description: str | UnsetType = UNSET


class CapabilityReadback(Struct, kw_only=True, rename="camel"):
    type: Literal["postgres-extension", "redis-module"]
    name: str
    required: bool
    status: Literal["satisfied", "unsupported", "failed"]
    evidence: list[str]
    version: str | UnsetType = UNSET
    checked_at: str | UnsetType = UNSET


class CreateBackupRelationship(Struct, kw_only=True, rename="camel"):
    retention_required: bool = False
    reason: Text | UnsetType = UNSET


class Create(Struct, kw_only=True, rename="camel"):
    kind: Literal["postgres", "redis", "mysql", "clickhouse", "object-storage", "opensearch"]
    project_id: Text
    environment_id: Text
    server_id: Text | UnsetType = UNSET
    name: Text
    provider_key: Text | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    capabilities: list[Capabilitie | Capabilitie2] | UnsetType = UNSET
    backup_relationship: CreateBackupRelationship | UnsetType = UNSET


class DeleteSafety2(Struct, kw_only=True, rename="camel"):
    blockers: list[Blocker2]


class DependencyResourcesBackupPoliciesItem(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["dependency-resource-backup-policies.policy/v1"] = (
        "dependency-resource-backup-policies.policy/v1"
    )
    id: str
    version: str
    dependency_resource_id: str
    retention_days: float
    schedule_interval_hours: float
    provider_key: str | None
    retry_on_failure: bool
    enabled: bool
    last_run_at: str | None
    next_run_at: str
    updated_at: str


class ProviderRealization(Struct, kw_only=True, rename="camel"):
    status: Literal["pending", "ready", "failed", "delete-pending", "deleted"]
    attempt_id: str
    attempted_at: str
    provider_resource_handle: str | UnsetType = UNSET
    realized_at: str | UnsetType = UNSET
    failed_at: str | UnsetType = UNSET
    failure_code: str | UnsetType = UNSET
    failure_message: str | UnsetType = UNSET


class DependencyResourcesItemBackupRelationship(Struct, kw_only=True, rename="camel"):
    retention_required: bool
    reason: str | UnsetType = UNSET


class DependencyResourcesItem(Struct, kw_only=True, rename="camel"):
    id: str
    project_id: str
    environment_id: str
    name: str
    slug: str
    kind: Literal["postgres", "redis", "mysql", "clickhouse", "object-storage", "opensearch"]
    source_mode: Literal["appaloft-managed", "imported-external"]
    provider_key: str
    provider_managed: bool
    description: str | UnsetType = UNSET
    lifecycle_status: Literal["provisioning", "ready", "degraded", "deleted"]
    connection: Connection | UnsetType = UNSET
    provider_realization: ProviderRealization | UnsetType = UNSET
    desired_capabilities: list[Capabilitie3 | Capabilitie4]
    capability_readbacks: list[CapabilityReadback]
    binding_readiness: BindingReadiness
    backup_relationship: DependencyResourcesItemBackupRelationship | UnsetType = UNSET
    delete_safety: DeleteSafety2 | UnsetType = UNSET
    created_at: str
    deleted_at: str | UnsetType = UNSET


class LatestRestoreAttempt(Struct, kw_only=True, rename="camel"):
    attempt_id: str
    status: Literal["pending", "completed", "failed"]
    requested_at: str
    completed_at: str | UnsetType = UNSET
    failed_at: str | UnsetType = UNSET
    failure_code: str | UnsetType = UNSET
    failure_message: str | UnsetType = UNSET


class DependencyResourcesItem2(Struct, kw_only=True, rename="camel"):
    id: str
    dependency_resource_id: str
    project_id: str
    environment_id: str
    dependency_kind: Literal["postgres", "redis", "mysql", "clickhouse", "object-storage", "opensearch"]
    provider_key: str
    status: Literal["pending", "ready", "failed"]
    attempt_id: str
    requested_at: str
    retention_status: Literal["retained", "none"]
    provider_artifact_handle: str | UnsetType = UNSET
    completed_at: str | UnsetType = UNSET
    failed_at: str | UnsetType = UNSET
    failure_code: str | UnsetType = UNSET
    failure_message: str | UnsetType = UNSET
    latest_restore_attempt: LatestRestoreAttempt | UnsetType = UNSET
    created_at: str


class Plan(Struct, kw_only=True, rename="camel"):
    id: str
    mode: Literal["create", "reuse"]
    status: Literal["planned", "accepted", "realized", "failed"]
    kind: Literal["postgres", "redis", "mysql", "clickhouse", "object-storage", "opensearch"]
    project_id: str
    environment_id: str
    name: str
    provider_key: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    endpoint: str | UnsetType = UNSET
    capabilities: list[Capabilitie3 | Capabilitie4]
    requires_acceptance: bool
    requested_at: str
    accepted_at: str | UnsetType = UNSET
    completed_at: str | UnsetType = UNSET
    dependency_resource_id: str | UnsetType = UNSET
    failure_code: str | UnsetType = UNSET
    failure_message: str | UnsetType = UNSET
    summary: list[str]


class DependencyResourcesProvisioningPlanResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["dependency-resource-provisioning.plan/v1"] = "dependency-resource-provisioning.plan/v1"
    plan: Plan
    generated_at: str


class ReuseBackupRelationship(Struct, kw_only=True, rename="camel"):
    retention_required: bool = False
    reason: Text | UnsetType = UNSET


class Reuse(Struct, kw_only=True, rename="camel"):
    kind: Literal["postgres", "redis", "mysql", "clickhouse", "object-storage", "opensearch"]
    project_id: Text
    environment_id: Text
    name: Text
    connection_url: Text
    secret_ref: Text | UnsetType = UNSET
    connection_secret: Text | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    capabilities: list[Capabilitie | Capabilitie2] | UnsetType = UNSET
    backup_relationship: ReuseBackupRelationship | UnsetType = UNSET


class DependencyResourcesProvisioningPlanBodyCreate(
    Struct, kw_only=True, rename="camel", tag_field="mode", tag="create"
):
    create: Create


class DependencyResourcesProvisioningPlanBodyReuse(Struct, kw_only=True, rename="camel", tag_field="mode", tag="reuse"):
    reuse: Reuse


DependencyResourcesProvisioningPlanBody = (
    DependencyResourcesProvisioningPlanBodyCreate | DependencyResourcesProvisioningPlanBodyReuse
)


class DependencyResourcesProvisioningAcceptBody(Struct, kw_only=True, rename="camel"):
    acknowledge_mutation: bool

    def __post_init__(self) -> None:
        if not self.acknowledge_mutation:
            message = "acknowledgeMutation must be true"
            raise ValueError(message)


DependencyResourcesProvisioningAcceptResponse = DependencyResourcesProvisioningPlanResponse


DependencyResourcesProvisioningStatusResponse = DependencyResourcesProvisioningPlanResponse


class DependencyResourcesCountQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    environment_id: Text | UnsetType = UNSET
    kind: Literal["postgres", "redis", "mysql", "clickhouse", "object-storage", "opensearch"] | UnsetType = UNSET


class DependencyResourcesCountResponse(Struct, kw_only=True, rename="camel"):
    count: Annotated[int, Meta(ge=0)]


DependencyResourcesProvisionBody = Create


class DependencyResourcesProvisionResponse(Struct, kw_only=True, rename="camel"):
    id: str


DependencyResourcesImportBody = Reuse


class DependencyResourcesImportResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DependencyResourcesListQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    environment_id: Text | UnsetType = UNSET
    kind: Literal["postgres", "redis", "mysql", "clickhouse", "object-storage", "opensearch"] | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class DependencyResourcesListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["dependency-resources.list/v1"] = "dependency-resources.list/v1"
    items: list[DependencyResourcesItem]
    generated_at: str


class DependencyResourcesShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["dependency-resources.show/v1"] = "dependency-resources.show/v1"
    dependency_resource: DependencyResourcesItem
    generated_at: str


class DependencyResourcesDeleteResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DependencyResourcesRenameBody(Struct, kw_only=True, rename="camel"):
    name: Text


class DependencyResourcesRenameResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DependencyResourcesListBackupsQuery(Struct, kw_only=True, rename="camel"):
    status: Literal["pending", "ready", "failed"] | UnsetType = UNSET


class DependencyResourcesListBackupsResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["dependency-resources.backups.list/v1"] = "dependency-resources.backups.list/v1"
    items: list[DependencyResourcesItem2]
    generated_at: str


class DependencyResourcesCreateBackupBody(Struct, kw_only=True, rename="camel"):
    description: Text | UnsetType = UNSET
    provider_key: Text | UnsetType = UNSET


class DependencyResourcesCreateBackupResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DependencyResourcesShowBackupResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["dependency-resources.backups.show/v1"] = "dependency-resources.backups.show/v1"
    backup: DependencyResourcesItem2
    generated_at: str


class DependencyResourcesRestoreBackupBody(Struct, kw_only=True, rename="camel"):
    acknowledge_data_overwrite: bool
    acknowledge_runtime_not_restarted: bool
    restore_label: Text | UnsetType = UNSET

    def __post_init__(self) -> None:
        if not self.acknowledge_data_overwrite:
            message = "acknowledgeDataOverwrite must be true"
            raise ValueError(message)
        if not self.acknowledge_runtime_not_restarted:
            message = "acknowledgeRuntimeNotRestarted must be true"
            raise ValueError(message)


class DependencyResourcesRestoreBackupResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DependencyResourcesBackupPoliciesListQuery(Struct, kw_only=True, rename="camel"):
    dependency_resource_id: Text | UnsetType = UNSET
    enabled_only: bool | UnsetType = UNSET
    due_at: Text | UnsetType = UNSET


class DependencyResourcesBackupPoliciesListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["dependency-resource-backup-policies.list/v1"] = (
        "dependency-resource-backup-policies.list/v1"
    )
    items: list[DependencyResourcesBackupPoliciesItem]


class DependencyResourcesBackupPoliciesConfigureBody(Struct, kw_only=True, rename="camel"):
    policy_id: Text | UnsetType = UNSET
    version: Text = "v1"
    dependency_resource_id: Text
    retention_days: Annotated[int, Meta(ge=1)]
    schedule_interval_hours: Annotated[int, Meta(ge=1)]
    provider_key: Text | UnsetType = UNSET
    retry_on_failure: bool = True
    enabled: bool = True
    next_run_at: Text | UnsetType = UNSET


class DependencyResourcesBackupPoliciesConfigureResponse(Struct, kw_only=True, rename="camel"):
    id: str


class DependencyResourcesBackupPoliciesShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["dependency-resource-backup-policies.show/v1"] = (
        "dependency-resource-backup-policies.show/v1"
    )
    policy: DependencyResourcesBackupPoliciesItem | None
