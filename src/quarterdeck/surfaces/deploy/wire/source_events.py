"""Shapes below /api/source-events. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text


class SourceEventsListQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    status: Literal["accepted", "deduped", "ignored", "blocked", "dispatched", "failed"] | UnsetType = UNSET
    source_kind: Literal["github", "gitlab", "generic-signed"] | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=100)] | UnsetType = UNSET
    cursor: Text | UnsetType = UNSET


class SourceEventsListResponseItemsItem(Struct, kw_only=True, rename="camel"):
    source_event_id: str
    project_id: str | UnsetType = UNSET
    resource_ids: list[str]
    source_kind: Literal["github", "gitlab", "generic-signed"]
    event_kind: Literal["push", "tag"]
    ref: str
    revision: str
    status: Literal["accepted", "deduped", "ignored", "blocked", "dispatched", "failed"]
    dedupe_status: Literal["new", "duplicate"]
    ignored_reasons: list[Literal["no-matching-policy", "ref-not-matched", "policy-disabled", "policy-blocked"]]
    created_deployment_ids: list[str]
    received_at: str


class SourceEventsListResponse(Struct, kw_only=True, rename="camel"):
    items: list[SourceEventsListResponseItemsItem]
    next_cursor: str | UnsetType = UNSET
    generated_at: str


class SourceEventsShowQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET


class SourceEventsShowResponseSourceIdentity(Struct, kw_only=True, rename="camel"):
    locator: str
    provider_repository_id: str | UnsetType = UNSET
    repository_full_name: str | UnsetType = UNSET


class SourceEventsShowResponseVerification(Struct, kw_only=True, rename="camel"):
    status: Literal["verified", "rejected"]
    method: Literal["provider-signature", "generic-hmac"] | UnsetType = UNSET
    key_version: str | UnsetType = UNSET


class SourceEventsShowResponsePolicyResultsItem(Struct, kw_only=True, rename="camel"):
    resource_id: str
    status: Literal["matched", "ignored", "blocked", "dispatch-failed", "dispatched"]
    reason: Literal["ref-not-matched", "policy-disabled", "policy-blocked", "dispatch-failed"] | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET
    error_code: str | UnsetType = UNSET


class SourceEventsShowResponse(Struct, kw_only=True, rename="camel"):
    source_event_id: str
    project_id: str | UnsetType = UNSET
    matched_resource_ids: list[str]
    source_kind: Literal["github", "gitlab", "generic-signed"]
    event_kind: Literal["push", "tag"]
    source_identity: SourceEventsShowResponseSourceIdentity
    ref: str
    revision: str
    verification: SourceEventsShowResponseVerification
    status: Literal["accepted", "deduped", "ignored", "blocked", "dispatched", "failed"]
    dedupe_of_source_event_id: str | UnsetType = UNSET
    policy_results: list[SourceEventsShowResponsePolicyResultsItem]
    created_deployment_ids: list[str]
    received_at: str


class SourceEventsReplayBody(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class SourceEventsReplayResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["source-events.replay/v1"] = "source-events.replay/v1"
    source_event_id: str
    status: Literal["accepted", "deduped", "ignored", "blocked", "dispatched", "failed"]
    matched_resource_ids: list[str]
    created_deployment_ids: list[str]
    ignored_reasons: list[Literal["no-matching-policy", "ref-not-matched", "policy-disabled", "policy-blocked"]]
    replayed_at: str


class SourceEventsPruneBody(Struct, kw_only=True, rename="camel"):
    before: DateTime
    project_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    status: Literal["accepted", "deduped", "ignored", "blocked", "dispatched", "failed"] | UnsetType = UNSET
    source_kind: Literal["github", "gitlab", "generic-signed"] | UnsetType = UNSET
    dry_run: bool = True


class SourceEventsPruneResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["source-events.prune/v1"] = "source-events.prune/v1"
    before: str
    project_id: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    status: Literal["accepted", "deduped", "ignored", "blocked", "dispatched", "failed"] | UnsetType = UNSET
    source_kind: Literal["github", "gitlab", "generic-signed"] | UnsetType = UNSET
    dry_run: bool
    matched_count: Annotated[int, Meta(ge=0)]
    pruned_count: Annotated[int, Meta(ge=0)]
    counts_by_status: dict[str, Annotated[int, Meta(ge=0)]]
    counts_by_source_kind: dict[str, Annotated[int, Meta(ge=0)]]
    pruned_at: str
