"""A task, wherever one is shown."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from quarterdeck.surfaces.tasks.wire.settings import Stage

Status = Literal["queued", "assigned", "running", "suspended", "completed", "failed", "cancelled"]
StageStatus = Literal["pending", "waiting", "running", "completed", "failed", "skipped", "cancelled"]
Source = Literal["web", "cli", "bot", "api"]


class StageRun(Struct, kw_only=True, rename="camel"):
    """`attempt` counts the tries of the stage in the newest attempt at the task; `result` is what was answered."""

    index: int
    name: str
    status: StageStatus
    attempt: int
    started_at: str | None
    finished_at: str | None
    result: str | None
    error: str | None


class Task(Struct, kw_only=True, rename="camel"):
    """`worker…` repeats `machine…`. `queuedReason` says why it waits, `resumeAt` when a paused one goes on by itself.
    Costs are in US dollars, and null while no agent has told of any; `projectKey` is null where the project takes no
    tasks any more.
    """

    id: int
    project_key: str | None
    description: str
    status: Status
    suspend_reason: Literal["stage_gate", "worker_disconnected", "rate_limited"] | None
    queued_reason: str | None
    agent_type: str
    machine_id: str | None
    worker_id: str | None
    machine_name: str | None
    worker_name: str | None
    requested_machine_id: str | None
    requested_worker_id: str | None
    developer_id: int
    developer_name: str | None
    source: Source
    priority: int
    depends_on: list[int]
    branch: str
    base_branch: str
    commit_sha: str | None
    mr_url: str | None
    pipeline: list[Stage]
    current_stage: int | None
    current_stage_name: str | None
    stages: list[StageRun]
    attempt: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    budget_usd: float | None
    error_code: str | None
    error_message: str | None
    resume_at: str | None
    created_at: str
    assigned_at: str | None
    started_at: str | None
    suspended_at: str | None
    finished_at: str | None
    updated_at: str
