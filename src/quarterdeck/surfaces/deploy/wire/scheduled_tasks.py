"""Shapes below /api/scheduled-tasks. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text
from quarterdeck.surfaces.deploy.wire.task_runs import LatestRun


class ScheduledTasksItem(Struct, kw_only=True, rename="camel"):
    task_id: str
    resource_id: str
    schedule: str
    timezone: str
    command_intent: str
    timeout_seconds: float
    retry_limit: float
    concurrency_policy: Literal["forbid"]
    status: Literal["enabled", "disabled"]
    created_at: str
    updated_at: str | UnsetType = UNSET
    latest_run: LatestRun | UnsetType = UNSET


class ScheduledTasksCreateResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-tasks.command/v1"] = "scheduled-tasks.command/v1"
    task: ScheduledTasksItem


class ScheduledTasksListQuery(Struct, kw_only=True, rename="camel"):
    project_id: Text | UnsetType = UNSET
    environment_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    status: Literal["enabled", "disabled"] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET
    cursor: Text | UnsetType = UNSET


class ScheduledTasksListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-tasks.list/v1"] = "scheduled-tasks.list/v1"
    items: list[ScheduledTasksItem]
    next_cursor: str | UnsetType = UNSET
    generated_at: str


class ScheduledTasksCreateBody(Struct, kw_only=True, rename="camel"):
    resource_id: Text
    schedule: Text
    timezone: Text
    command_intent: Text
    timeout_seconds: Annotated[int, Meta(ge=1, le=86400)]
    retry_limit: Annotated[int, Meta(ge=0, le=10)]
    concurrency_policy: Literal["forbid"] = "forbid"
    status: Literal["enabled", "disabled"] = "enabled"
    idempotency_key: Text | UnsetType = UNSET


class ScheduledTasksShowQuery(Struct, kw_only=True, rename="camel"):
    resource_id: Text | UnsetType = UNSET


class ScheduledTasksShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-tasks.show/v1"] = "scheduled-tasks.show/v1"
    task: ScheduledTasksItem
    generated_at: str


class ScheduledTasksConfigureBody(Struct, kw_only=True, rename="camel"):
    resource_id: Text
    schedule: Text | UnsetType = UNSET
    timezone: Text | UnsetType = UNSET
    command_intent: Text | UnsetType = UNSET
    timeout_seconds: Annotated[int, Meta(ge=1, le=86400)] | UnsetType = UNSET
    retry_limit: Annotated[int, Meta(ge=0, le=10)] | UnsetType = UNSET
    concurrency_policy: Literal["forbid"] | UnsetType = UNSET
    status: Literal["enabled", "disabled"] | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


ScheduledTasksConfigureResponse = ScheduledTasksCreateResponse


class ScheduledTasksDeleteBody(Struct, kw_only=True, rename="camel"):
    resource_id: Text
    idempotency_key: Text | UnsetType = UNSET


class ScheduledTasksDeleteResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-tasks.delete/v1"] = "scheduled-tasks.delete/v1"
    task_id: str
    resource_id: str
    status: Literal["deleted"] = "deleted"
    deleted_at: str


class ScheduledTasksRunNowBody(Struct, kw_only=True, rename="camel"):
    resource_id: Text
    idempotency_key: Text | UnsetType = UNSET
    requested_at: Text | UnsetType = UNSET


class ScheduledTasksRunNowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-tasks.run-now/v1"] = "scheduled-tasks.run-now/v1"
    run: LatestRun
