"""Shapes that several rooms share. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class LatestRun(Struct, kw_only=True, rename="camel"):
    run_id: str
    task_id: str
    resource_id: str
    trigger_kind: Literal["manual", "scheduled"]
    status: Literal["accepted", "running", "succeeded", "failed", "skipped"]
    created_at: str
    started_at: str | UnsetType = UNSET
    finished_at: str | UnsetType = UNSET
    exit_code: float | UnsetType = UNSET
    failure_summary: str | UnsetType = UNSET
    skipped_reason: Literal["concurrency-forbidden", "resource-archived", "task-disabled"] | UnsetType = UNSET
