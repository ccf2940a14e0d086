"""Shapes below /api/scheduled-task-runs. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.scalars import Text
from quarterdeck.surfaces.deploy.wire.task_runs import LatestRun


class ScheduledTaskRunsListQuery(Struct, kw_only=True, rename="camel"):
    task_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    status: Literal["accepted", "running", "succeeded", "failed", "skipped"] | UnsetType = UNSET
    trigger_kind: Literal["manual", "scheduled"] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET
    cursor: Text | UnsetType = UNSET


class ScheduledTaskRunsListResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-task-runs.list/v1"] = "scheduled-task-runs.list/v1"
    items: list[LatestRun]
    next_cursor: str | UnsetType = UNSET
    generated_at: str


class ScheduledTaskRunsShowQuery(Struct, kw_only=True, rename="camel"):
    task_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET


class ScheduledTaskRunsShowResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-task-runs.show/v1"] = "scheduled-task-runs.show/v1"
    run: LatestRun
    generated_at: str


class ScheduledTaskRunsLogsQuery(Struct, kw_only=True, rename="camel"):
    task_id: Text | UnsetType = UNSET
    resource_id: Text | UnsetType = UNSET
    cursor: Text | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET


class ScheduledTaskRunsLogsResponseEntriesItem(Struct, kw_only=True, rename="camel"):
    timestamp: str
    stream: Literal["stdout", "stderr", "system"]
    message: str


class ScheduledTaskRunsLogsResponse(Struct, kw_only=True, rename="camel"):
    schema_version: Literal["scheduled-task-runs.logs/v1"] = "scheduled-task-runs.logs/v1"
    run_id: str
    task_id: str
    resource_id: str
    entries: list[ScheduledTaskRunsLogsResponseEntriesItem]
    next_cursor: str | UnsetType = UNSET
    generated_at: str
