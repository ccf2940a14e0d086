"""Shapes below /api/deployment-overlays. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.actors import Actor, ResourceRefs2
from quarterdeck.surfaces.deploy.wire.scalars import Text


class DeploymentOverlaysRecord(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["deployment-overlay.decision/v1"] = "deployment-overlay.decision/v1"
    id: str | UnsetType = UNSET
    operation_key: str
    decision: Literal["enabled", "skipped", "rejected", "unknown"]
    reason: str
    source: str
    tenant_id: str | UnsetType = UNSET
    account_id: str | UnsetType = UNSET
    organization_id: str | UnsetType = UNSET
    actor: Actor | UnsetType = UNSET
    resource_refs: ResourceRefs2 | UnsetType = UNSET
    capability_key: str | UnsetType = UNSET
    decided_at: str
    attributes: dict[str, Any] | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class DeploymentOverlaysListQuery(Struct, kw_only=True, rename="camel"):
    tenant_id: Text | UnsetType = UNSET
    account_id: Text | UnsetType = UNSET
    organization_id: Text | UnsetType = UNSET
    operation_key: Text | UnsetType = UNSET
    capability_key: Text | UnsetType = UNSET
    source: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=500)] | UnsetType = UNSET


class DeploymentOverlaysListResponse(Struct, kw_only=True, rename="camel"):
    records: list[DeploymentOverlaysRecord]


class DeploymentOverlaysRecordBody(Struct, kw_only=True, rename="camel"):
    operation_key: Text
    actor: Actor | UnsetType = UNSET
    tenant_id: Text | UnsetType = UNSET
    account_id: Text | UnsetType = UNSET
    organization_id: Text | UnsetType = UNSET
    resource_refs: ResourceRefs2 | UnsetType = UNSET
    capability_key: Text | UnsetType = UNSET
    source: Text
    attributes: dict[str, Any] | UnsetType = UNSET


class DeploymentOverlaysRecordResponseResult(Struct, kw_only=True, rename="camel"):
    operation_key: str
    decision: Literal["enabled", "skipped", "rejected", "unknown"]
    allowed: bool
    reason: str
    source: str
    record: DeploymentOverlaysRecord | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class DeploymentOverlaysRecordResponse(Struct, kw_only=True, rename="camel"):
    result: DeploymentOverlaysRecordResponseResult
