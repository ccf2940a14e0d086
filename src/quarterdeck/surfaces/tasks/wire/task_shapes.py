"""A task and its stages."""

from __future__ import annotations

from msgspec import Struct

from quarterdeck.surfaces.tasks.wire.settings import Stage


class StageRun(Struct, kw_only=True, rename="camel"):
    index: int
    name: str
    status: str
    attempt: int
    started_at: str | None
    finished_at: str | None
    result: str | None
    error: str | None


class Task(Struct, kw_only=True, rename="camel"):
    """`workerId` is another word for `machineId`, both the machine's uid; `projectKey` is null for a project that tasks
    no longer have.
    """

    id: int
    project_key: str | None
    description: str
    status: str
    suspend_reason: str | None
    queued_reason: str | None
    agent_type: str
    machine_id: str | None
    worker_id: str | None
    machine_name: str | None
    worker_name: str | None
    requested_machine_id: str | None
    developer_id: int
    developer_name: str | None
    source: str
    branch: str
    base_branch: str
    commit_sha: str | None
    mr_url: str | None
    pipeline: list[Stage]
    current_stage: int | None
    current_stage_name: str | None
    stages: list[StageRun]
    attempt: int
    error_code: str | None
    error_message: str | None
    created_at: str
    assigned_at: str | None
    started_at: str | None
    suspended_at: str | None
    finished_at: str | None
    updated_at: str
