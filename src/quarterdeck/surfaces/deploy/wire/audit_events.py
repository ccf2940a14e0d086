"""Shapes below /api/audit-events. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text


class AuditEventsArchivesSource2(Struct, kw_only=True, rename="camel", tag_field="kind", tag="global-window"):
    from_: str
    to: str
    aggregate_id: str | UnsetType = UNSET


class AuditEventsArchivesSource3(Struct, kw_only=True, rename="camel", tag_field="kind", tag="aggregate"):
    aggregate_id: str
    from_: str | UnsetType = UNSET
    to: str | UnsetType = UNSET


AuditEventsArchivesSource = AuditEventsArchivesSource3 | AuditEventsArchivesSource2


class AuditEventsArchivesItem(Struct, kw_only=True, rename="camel"):
    archive_id: str
    archive_schema_version: Literal["audit-events.archive/v1"] = "audit-events.archive/v1"
    source: AuditEventsArchivesSource
    event_type: str | UnsetType = UNSET
    reason: str
    item_count: float
    truncated: bool
    content_digest: str
    retain_source_rows: bool
    created_at: str


class AuditEventsItem(Struct, kw_only=True, rename="camel"):
    audit_event_id: str
    aggregate_id: str
    event_type: str
    created_at: str
    payload: dict[str, str | float | bool | list[str] | None]
    redacted_fields: list[str]


class AuditEventsLegalHoldsScope2(Struct, kw_only=True, rename="camel", tag_field="kind", tag="global-window"):
    from_: str | UnsetType = UNSET
    to: str | UnsetType = UNSET


AuditEventsLegalHoldsScope = AuditEventsArchivesSource3 | AuditEventsLegalHoldsScope2


class AuditEventsLegalHoldsItem(Struct, kw_only=True, rename="camel"):
    hold_id: str
    status: Literal["active", "released"]
    scope: AuditEventsLegalHoldsScope
    event_type: str | UnsetType = UNSET
    reason: str
    requested_by: str | UnsetType = UNSET
    created_at: str
    released_at: str | UnsetType = UNSET
    release_reason: str | UnsetType = UNSET
    released_by: str | UnsetType = UNSET


class AuditEventsLegalHoldsConfigureResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.legal-holds.hold/v1"] = "audit-events.legal-holds.hold/v1"
    hold: AuditEventsLegalHoldsItem


class AuditEventsPruneBody(Struct, kw_only=True, rename="camel"):
    before: DateTime
    aggregate_id: Text | UnsetType = UNSET
    event_type: Text | UnsetType = UNSET
    dry_run: bool = True


class AuditEventsListQuery(Struct, kw_only=True, rename="camel"):
    aggregate_id: Text | UnsetType = UNSET
    event_type: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=100)] | UnsetType = UNSET
    cursor: Text | UnsetType = UNSET


class AuditEventsListResponseItemsItem(Struct, kw_only=True, rename="camel"):
    audit_event_id: str
    aggregate_id: str
    event_type: str
    created_at: str


class AuditEventsListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.list/v1"] = "audit-events.list/v1"
    items: list[AuditEventsListResponseItemsItem]
    next_cursor: str | UnsetType = UNSET
    generated_at: str


class AuditEventsExportQuery(Struct, kw_only=True, rename="camel"):
    aggregate_id: Text | UnsetType = UNSET
    event_type: Text | UnsetType = UNSET
    from_: DateTime | UnsetType = UNSET
    to: DateTime | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=500)] = 100


class AuditEventsExportResponseFilters(Struct, kw_only=True, rename="camel"):
    event_type: str | UnsetType = UNSET
    from_: str | UnsetType = UNSET
    to: str | UnsetType = UNSET
    limit: float


class AuditEventsExportResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.export/v1"] = "audit-events.export/v1"
    aggregate_id: str
    filters: AuditEventsExportResponseFilters
    items: list[AuditEventsItem]
    item_count: float
    truncated: bool
    generated_at: str


class AuditEventsExportGlobalQuery(Struct, kw_only=True, rename="camel"):
    aggregate_id: Text | UnsetType = UNSET
    event_type: Text | UnsetType = UNSET
    from_: DateTime
    to: DateTime
    limit: Annotated[int, Meta(gt=0, le=500)] = 100


class AuditEventsExportGlobalResponseFilters(Struct, kw_only=True, rename="camel"):
    aggregate_id: str | UnsetType = UNSET
    event_type: str | UnsetType = UNSET
    from_: str
    to: str
    limit: float


class AuditEventsExportGlobalResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.export-global/v1"] = "audit-events.export-global/v1"
    filters: AuditEventsExportGlobalResponseFilters
    items: list[AuditEventsItem]
    item_count: float
    truncated: bool
    generated_at: str


class AuditEventsShowQuery(Struct, kw_only=True, rename="camel"):
    aggregate_id: Text | UnsetType = UNSET


class AuditEventsShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.show/v1"] = "audit-events.show/v1"
    event: AuditEventsItem


class AuditEventsPruneResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.prune/v1"] = "audit-events.prune/v1"
    before: str
    aggregate_id: str | UnsetType = UNSET
    event_type: str | UnsetType = UNSET
    dry_run: bool
    matched_count: float
    pruned_count: float
    held_count: float
    archive_retained_count: float
    counts_by_event_type: dict[str, float]
    held_counts_by_event_type: dict[str, float]
    archive_retained_counts_by_event_type: dict[str, float]
    active_hold_ids: list[str]
    active_archive_ids: list[str]
    pruned_at: str


class AuditEventsArchivesListQuery(Struct, kw_only=True, rename="camel"):
    aggregate_id: Text | UnsetType = UNSET
    event_type: Text | UnsetType = UNSET
    from_: DateTime | UnsetType = UNSET
    to: DateTime | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=100)] = 50
    cursor: Text | UnsetType = UNSET


class AuditEventsArchivesListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.archives.list/v1"] = "audit-events.archives.list/v1"
    items: list[AuditEventsArchivesItem]
    next_cursor: str | UnsetType = UNSET
    generated_at: str


class AuditEventsArchivesCreateBody(Struct, kw_only=True, rename="camel"):
    reason: Text
    aggregate_id: Text | UnsetType = UNSET
    event_type: Text | UnsetType = UNSET
    from_: DateTime | UnsetType = UNSET
    to: DateTime | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=500)] = 100
    retain_source_rows: bool = False


class AuditEventsArchivesCreateResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.archives.archive/v1"] = "audit-events.archives.archive/v1"
    archive: AuditEventsArchivesItem


class AuditEventsArchivesShowResponseArchive(Struct, kw_only=True, rename="camel"):
    archive_id: str
    archive_schema_version: Literal["audit-events.archive/v1"] = "audit-events.archive/v1"
    source: AuditEventsArchivesSource
    event_type: str | UnsetType = UNSET
    reason: str
    item_count: float
    truncated: bool
    content_digest: str
    retain_source_rows: bool
    created_at: str
    items: list[AuditEventsItem]


class AuditEventsArchivesShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.archives.show/v1"] = "audit-events.archives.show/v1"
    archive: AuditEventsArchivesShowResponseArchive
    generated_at: str


AuditEventsArchivesPruneBody = AuditEventsPruneBody


class AuditEventsArchivesPruneResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.archives.prune/v1"] = "audit-events.archives.prune/v1"
    before: str
    aggregate_id: str | UnsetType = UNSET
    event_type: str | UnsetType = UNSET
    dry_run: bool
    matched_count: float
    pruned_count: float
    counts_by_source_kind: dict[str, float]
    counts_by_event_type: dict[str, float]
    pruned_at: str


class AuditEventsLegalHoldsListQuery(Struct, kw_only=True, rename="camel"):
    status: Literal["active", "released"] | UnsetType = UNSET
    aggregate_id: Text | UnsetType = UNSET
    event_type: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=100)] = 50
    cursor: Text | UnsetType = UNSET


class AuditEventsLegalHoldsListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.legal-holds.list/v1"] = "audit-events.legal-holds.list/v1"
    items: list[AuditEventsLegalHoldsItem]
    next_cursor: str | UnsetType = UNSET
    generated_at: str


class AuditEventsLegalHoldsConfigureBody(Struct, kw_only=True, rename="camel"):
    reason: Text
    aggregate_id: Text | UnsetType = UNSET
    event_type: Text | UnsetType = UNSET
    from_: DateTime | UnsetType = UNSET
    to: DateTime | UnsetType = UNSET
    requested_by: Text | UnsetType = UNSET


class AuditEventsLegalHoldsShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["audit-events.legal-holds.show/v1"] = "audit-events.legal-holds.show/v1"
    hold: AuditEventsLegalHoldsItem
    generated_at: str


class AuditEventsLegalHoldsReleaseBody(Struct, kw_only=True, rename="camel"):
    release_reason: Text
    released_by: Text | UnsetType = UNSET


AuditEventsLegalHoldsReleaseResponse = AuditEventsLegalHoldsConfigureResponse
