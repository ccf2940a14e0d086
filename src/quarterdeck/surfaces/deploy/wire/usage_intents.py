"""Shapes below /api/usage-intents. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.actors import Actor, ResourceRefs2
from quarterdeck.surfaces.deploy.wire.scalars import Text


class Quantity(Struct, kw_only=True, rename="camel"):
    value: Annotated[float, Meta(gt=0)]
    unit: Text


class UsageIntentsRecord(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["usage-intent.record/v1"] = "usage-intent.record/v1"
    id: str
    idempotency_key: str
    capability_key: str
    status: Literal["accepted", "duplicate", "rejected", "unknown_capability"]
    reason: str
    source: str
    tenant_id: str | UnsetType = UNSET
    account_id: str | UnsetType = UNSET
    organization_id: str | UnsetType = UNSET
    actor: Actor | UnsetType = UNSET
    resource_refs: ResourceRefs2 | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    occurred_at: str
    recorded_at: str
    attributes: dict[str, Any] | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class UsageIntentsListQuery(Struct, kw_only=True, rename="camel"):
    tenant_id: Text | UnsetType = UNSET
    account_id: Text | UnsetType = UNSET
    organization_id: Text | UnsetType = UNSET
    capability_key: Text | UnsetType = UNSET
    source: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class UsageIntentsListResponse(Struct, kw_only=True, rename="camel"):
    records: list[UsageIntentsRecord]


class UsageIntentsRecordBody(Struct, kw_only=True, rename="camel"):
    idempotency_key: Text
    capability_key: Text
    actor: Actor | UnsetType = UNSET
    tenant_id: Text | UnsetType = UNSET
    account_id: Text | UnsetType = UNSET
    organization_id: Text | UnsetType = UNSET
    resource_refs: ResourceRefs2 | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    source: Text
    occurred_at: Text | UnsetType = UNSET
    attributes: dict[str, Any] | UnsetType = UNSET


class UsageIntentsRecordResponseResult(Struct, kw_only=True, rename="camel"):
    idempotency_key: str
    capability_key: str
    accepted: bool
    duplicate: bool
    status: Literal["accepted", "duplicate", "rejected", "unknown_capability"]
    reason: str
    source: str
    record: UsageIntentsRecord | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class UsageIntentsRecordResponse(Struct, kw_only=True, rename="camel"):
    result: UsageIntentsRecordResponseResult
