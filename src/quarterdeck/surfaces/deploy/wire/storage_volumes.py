"""Shapes below /api/storage-volumes. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.placement import Server2
from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text


class Attachment(Struct, kw_only=True, rename="camel"):
    attachment_id: str
    resource_id: str
    resource_name: str | UnsetType = UNSET
    resource_slug: str | UnsetType = UNSET
    destination_path: str
    mount_mode: Literal["read-write", "read-only"]
    attached_at: str


class StorageVolumesItemBackupRelationship(Struct, kw_only=True, rename="camel"):
    retention_required: bool
    reason: str | UnsetType = UNSET


class StorageVolumesItem(Struct, kw_only=True, rename="camel"):
    id: str
    project_id: str
    environment_id: str
    name: str
    slug: str
    kind: Literal["named-volume", "bind-mount"]
    source_path: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    lifecycle_status: Literal["active", "deleted"]
    backup_relationship: StorageVolumesItemBackupRelationship | UnsetType = UNSET
    attachment_count: float
    attachments: list[Attachment]
    created_at: str
    deleted_at: str | UnsetType = UNSET


class StorageVolumesListQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    environment_id: Text | UnsetType = UNSET


class StorageVolumesListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["storage-volumes.list/v1"] = "storage-volumes.list/v1"
    items: list[StorageVolumesItem]
    generated_at: str


class StorageVolumesCreateBodyBackupRelationship(Struct, kw_only=True, rename="camel"):
    retention_required: bool = False
    reason: Text | UnsetType = UNSET


class StorageVolumesCreateBody(Struct, kw_only=True, rename="camel"):
    project_id: Text
    environment_id: Text
    name: Text
    kind: Literal["named-volume", "bind-mount"]
    description: Text | UnsetType = UNSET
    source_path: Text | UnsetType = UNSET
    backup_relationship: StorageVolumesCreateBodyBackupRelationship | UnsetType = UNSET


class StorageVolumesCreateResponse(Struct, kw_only=True, rename="camel"):
    id: str


class StorageVolumesShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["storage-volumes.show/v1"] = "storage-volumes.show/v1"
    storage_volume: StorageVolumesItem
    generated_at: str


class StorageVolumesDeleteResponse(Struct, kw_only=True, rename="camel"):
    id: str


class StorageVolumesRenameBody(Struct, kw_only=True, rename="camel"):
    name: Text


class StorageVolumesRenameResponse(Struct, kw_only=True, rename="camel"):
    id: str


class StorageVolumesCleanupRuntimeBody(Struct, kw_only=True, rename="camel"):
    server_id: Text
    before: DateTime
    dry_run: bool = True


class StorageVolumesCleanupRuntimeResponseStorageVolume(Struct, kw_only=True, rename="camel"):
    id: str
    name: str
    kind: Literal["named-volume", "bind-mount"]


class StorageVolumesCleanupRuntimeResponseSummary(Struct, kw_only=True, rename="camel"):
    inspected_count: float
    matched_count: float
    cleaned_count: float
    skipped_count: float
    blocked_count: float


class StorageVolumesCleanupRuntimeResponseCandidatesItem(Struct, kw_only=True, rename="camel"):
    id: str
    kind: Literal["named-volume", "bind-mount"]
    target: str
    updated_at: str | None
    action: Literal["matched", "cleaned", "skipped", "blocked"]
    blocked_reason: (
        Literal[
            "active-attachment",
            "active-runtime",
            "retained-snapshot",
            "rollback-candidate",
            "backup-restore-in-flight",
            "backup-retention",
            "bind-mount-unsupported",
            "provider-blocked",
            "cutoff-not-reached",
            "ownership-unproven",
            "safety-evidence-missing",
        ]
        | UnsetType
    ) = UNSET


class StorageVolumesCleanupRuntimeResponseWarningsItem(Struct, kw_only=True, rename="camel"):
    code: str
    message: str
    target: str | UnsetType = UNSET


class StorageVolumesCleanupRuntimeResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["storage-volumes.cleanup-runtime/v1"] = "storage-volumes.cleanup-runtime/v1"
    storage_volume: StorageVolumesCleanupRuntimeResponseStorageVolume
    server: Server2
    before: str
    dry_run: bool
    cleaned_at: str
    summary: StorageVolumesCleanupRuntimeResponseSummary
    candidates: list[StorageVolumesCleanupRuntimeResponseCandidatesItem]
    warnings: list[StorageVolumesCleanupRuntimeResponseWarningsItem]
