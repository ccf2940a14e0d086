"""Shapes below /api/retention-defaults. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text

Category = Literal[
    "audit-rows",
    "deployment-logs",
    "domain-event-streams",
    "process-attempts",
    "provider-job-logs",
    "resource-runtime-log-archives",
    "runtime-monitoring-samples",
]


class RetentionDefaultsItem(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["retention-defaults.policy/v1"] = "retention-defaults.policy/v1"
    id: str
    scope: Literal["organization", "system"]
    organization_id: str | UnsetType = UNSET
    category: Category
    retention_days: float
    dry_run_scheduling_enabled: bool
    destructive_scheduling_enabled: bool
    enabled: bool
    updated_at: str
    updated_by_actor_id: str | UnsetType = UNSET
    updated_by_actor_kind: Literal["deploy-token", "system", "user"] | UnsetType = UNSET


class RetentionDefaultsListQuery(Struct, kw_only=True, rename="camel"):
    scope: Literal["organization", "system"] | UnsetType = UNSET
    organization_id: Text | UnsetType = UNSET
    category: (
        Literal[
            "audit-rows",
            "deployment-logs",
            "domain-event-streams",
            "process-attempts",
            "provider-job-logs",
            "resource-runtime-log-archives",
            "runtime-monitoring-samples",
        ]
        | UnsetType
    ) = UNSET
    enabled_only: bool | UnsetType = UNSET


class RetentionDefaultsListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["retention-defaults.list/v1"] = "retention-defaults.list/v1"
    items: list[RetentionDefaultsItem]


class RetentionDefaultsConfigureBody(Struct, kw_only=True, rename="camel"):
    policy_id: Text | UnsetType = UNSET
    scope: Literal["organization", "system"] = "system"
    organization_id: Text | UnsetType = UNSET
    category: Category
    retention_days: Annotated[int, Meta(ge=1)]
    dry_run_scheduling_enabled: bool = True
    destructive_scheduling_enabled: bool = False
    enabled: bool = True


class RetentionDefaultsConfigureResponse(Struct, kw_only=True, rename="camel"):
    id: str


class RetentionDefaultsShowQuery(Struct, kw_only=True, rename="camel"):
    scope: Literal["organization", "system"] = "system"
    organization_id: Text | UnsetType = UNSET


class RetentionDefaultsShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["retention-defaults.show/v1"] = "retention-defaults.show/v1"
    policy: RetentionDefaultsItem | None
