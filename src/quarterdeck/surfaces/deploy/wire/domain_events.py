"""Shapes below /api/domain-events. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text


class DomainEventsPruneBody(Struct, kw_only=True, rename="camel"):
    before: DateTime
    event_type: Text | UnsetType = UNSET
    aggregate_id: Text | UnsetType = UNSET
    aggregate_type: Text | UnsetType = UNSET
    deployment_id: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=10000)] | UnsetType = UNSET
    dry_run: bool = True


class DomainEventsPruneResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["domain-events.prune/v1"] = "domain-events.prune/v1"
    before: str
    event_type: str | UnsetType = UNSET
    aggregate_id: str | UnsetType = UNSET
    aggregate_type: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET
    limit: float | UnsetType = UNSET
    dry_run: bool
    inspected_count: float
    candidate_count: float
    pruned_count: float
    skipped_count: float
    counts_by_event_type: dict[str, float]
    skipped_counts_by_reason: dict[str, float]
    pruned_at: str
