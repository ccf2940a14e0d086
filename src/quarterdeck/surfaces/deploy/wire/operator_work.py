"""Shapes below /api/operator-work. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.deploy.wire.scalars import DateTime, Text


class OperatorWorkItem(Struct, kw_only=True, rename="camel"):
    id: str
    kind: Literal[
        "deployment",
        "proxy-bootstrap",
        "certificate",
        "remote-state",
        "route-realization",
        "runtime-maintenance",
        "system",
    ]
    status: Literal[
        "pending", "running", "retry-scheduled", "succeeded", "failed", "canceled", "dead-lettered", "unknown"
    ]
    operation_key: str
    phase: str | UnsetType = UNSET
    step: str | UnsetType = UNSET
    project_id: str | UnsetType = UNSET
    resource_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    domain_binding_id: str | UnsetType = UNSET
    certificate_id: str | UnsetType = UNSET
    started_at: str | UnsetType = UNSET
    updated_at: str
    finished_at: str | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    error_category: str | UnsetType = UNSET
    retriable: bool | UnsetType = UNSET
    next_actions: list[Literal["diagnostic", "retry", "manual-review", "no-action"]]
    safe_details: dict[str, str | float | bool | None] | UnsetType = UNSET


class OperatorWorkListQuery(Struct, kw_only=True, rename="camel"):
    kind: (
        Literal[
            "deployment",
            "proxy-bootstrap",
            "certificate",
            "remote-state",
            "route-realization",
            "runtime-maintenance",
            "system",
        ]
        | UnsetType
    ) = UNSET
    status: (
        Literal["pending", "running", "retry-scheduled", "succeeded", "failed", "canceled", "dead-lettered", "unknown"]
        | UnsetType
    ) = UNSET
    resource_id: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    deployment_id: str | UnsetType = UNSET
    limit: Annotated[int, Meta(gt=0, le=200)] | UnsetType = UNSET


class OperatorWorkListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["operator-work.list/v1"] = "operator-work.list/v1"
    items: list[OperatorWorkItem]
    generated_at: str


class OperatorWorkShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["operator-work.show/v1"] = "operator-work.show/v1"
    item: OperatorWorkItem
    generated_at: str


class OperatorWorkMarkRecoveredBody(Struct, kw_only=True, rename="camel"):
    reason: Text | UnsetType = UNSET


class OperatorWorkMarkRecoveredResponse(Struct, kw_only=True, rename="camel"):
    work_id: str
    status: Literal["succeeded"] = "succeeded"
    recovered_at: str


class OperatorWorkDeadLetterBody(Struct, kw_only=True, rename="camel"):
    reason: Text


class OperatorWorkDeadLetterResponse(Struct, kw_only=True, rename="camel"):
    work_id: str
    status: Literal["dead-lettered"] = "dead-lettered"
    dead_lettered_at: str


class OperatorWorkCancelBody(Struct, kw_only=True, rename="camel"):
    reason: Text


class OperatorWorkCancelResponse(Struct, kw_only=True, rename="camel"):
    work_id: str
    status: Literal["canceled"] = "canceled"
    canceled_at: str


class OperatorWorkRetryBody(Struct, kw_only=True, rename="camel"):
    reason: Text | UnsetType = UNSET


class OperatorWorkRetryResponse(Struct, kw_only=True, rename="camel"):
    work_id: str
    status: Literal["pending"] = "pending"
    retry_of_work_id: str
    retried_at: str


class OperatorWorkPruneBody(Struct, kw_only=True, rename="camel"):
    before: DateTime
    statuses: (
        Annotated[list[Literal["succeeded", "failed", "canceled", "dead-lettered"]], Meta(min_length=1)] | UnsetType
    ) = UNSET
    dry_run: bool | UnsetType = UNSET


class OperatorWorkPruneResponseCountsByStatus(Struct, kw_only=True, rename="camel"):
    succeeded: float | UnsetType = UNSET
    failed: float | UnsetType = UNSET
    canceled: float | UnsetType = UNSET
    dead_lettered: float | UnsetType = field(name="dead-lettered", default=UNSET)


class OperatorWorkPruneResponse(Struct, kw_only=True, rename="camel"):
    pruned_count: float
    matched_count: float
    dry_run: bool
    before: str
    statuses: list[Literal["succeeded", "failed", "canceled", "dead-lettered"]]
    counts_by_status: OperatorWorkPruneResponseCountsByStatus
    pruned_at: str
