"""Shapes of infrastructure jobs (contract: infra §1.3, §4.4)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Uid = Annotated[str, Meta(max_length=64)]
Words = Annotated[str, Meta(max_length=200)]


MOST = 100
"""Jobs of one page; who asks for more gets so many."""


class JobsQuery(Struct, kw_only=True):
    """`surface` says whose jobs are meant. `vineyard_id` is another name of `zone_id`, `spec_id` of `configuration_id`;
    `q` is looked for in the names of configurations; `mine`: those that the caller asked for.
    """

    surface: Literal["infra", "runbooks"] | UnsetType = UNSET
    status: Words | UnsetType = UNSET
    zone_id: Uid | UnsetType = UNSET
    vineyard_id: Uid | UnsetType = UNSET
    configuration_id: Uid | UnsetType = UNSET
    spec_id: Uid | UnsetType = UNSET
    job_type: Words | UnsetType = UNSET
    q: Words = ""
    mine: bool = False
    limit: Annotated[int, Meta(ge=1, le=1_000_000)] = 20
    offset: Annotated[int, Meta(ge=0, le=10_000_000)] = 0


class JobAsk(Struct, kw_only=True):
    """`vineyard_id` is another name of `zone_id`, `spec_id` of `configuration_id`, `assigned_runner_id` of
    `assigned_worker_id`; an empty text is none. A job has the zone of its configuration. `config_snapshot` is read of
    jobs about runners, and of it `worker_id` or `runner_id` alone.
    """

    job_type: Words | UnsetType | None = UNSET
    configuration_id: Uid | UnsetType | None = UNSET
    spec_id: Uid | UnsetType | None = UNSET
    zone_id: Uid | UnsetType | None = UNSET
    vineyard_id: Uid | UnsetType | None = UNSET
    cloud_identity_id: Uid | UnsetType | None = UNSET
    assigned_worker_id: Uid | UnsetType | None = UNSET
    assigned_runner_id: Uid | UnsetType | None = UNSET
    plan_job_id: Uid | UnsetType | None = UNSET
    config_snapshot: dict[str, Any] | UnsetType | None = UNSET


class JobCancel(Struct, kw_only=True):
    reason: Annotated[str, Meta(max_length=500)] | UnsetType | None = UNSET


class JobPin(Struct, kw_only=True):
    """`assigned_runner_id` is another name of `assigned_worker_id`; null frees the job for any runner."""

    assigned_worker_id: Uid | UnsetType | None = UNSET
    assigned_runner_id: Uid | UnsetType | None = UNSET


class Job(Struct, kw_only=True):
    """Programs of both generations find their names: `zone_id` is `vineyard_id`, `spec_id` is `configuration_id`, a
    worker is a runner. `attempts` counts how often it was taken; `waits_for` is `approval` while somebody has to agree
    first; `orphan_risk`: something may have been left over that no state knows.
    """

    id: str
    user_id: str | None
    org_id: str | None
    zone_id: str | None
    vineyard_id: str | None
    spec_id: str | None
    configuration_id: str | None
    cloud_identity_id: str | None
    job_type: str
    config_snapshot: dict[str, Any]
    configuration_hash: str | None
    status: str
    worker_id: str | None
    runner_id: str | None
    assigned_worker_id: str | None
    assigned_runner_id: str | None
    plan_job_id: str | None
    rerun_of_id: str | None
    claimed_at: str | None
    started_at: str | None
    completed_at: str | None
    error_code: str | None
    error_message: str | None
    execution_metadata: dict[str, Any]
    orphan_risk: bool
    read_only: bool
    attempts: int
    stage: str | None
    waits_for: Literal["approval", "runner"] | None
    created_at: str
    updated_at: str
    spec_name: str | None
    vine_name: str | None
    worker_name: str | None
    runner_name: str | None


class Jobs(Struct, kw_only=True):
    jobs: list[Job]
    total: int
    limit: int
    offset: int


class JobMade(Struct, kw_only=True):
    job: Job


class Done(Struct, kw_only=True):
    success: bool = True


class LogsQuery(Struct, kw_only=True):
    """`after` is the id of the last chunk that is known."""

    after: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0


class StreamQuery(Struct, kw_only=True):
    after: Annotated[int, Meta(ge=0, le=2**63 - 1)] | UnsetType = UNSET


class LogChunk(Struct, kw_only=True):
    id: int
    job_id: str
    log_chunk: str
    stream_type: str
    created_at: str


class Logs(Struct, kw_only=True):
    """`more`: there is more behind the last of them; ask again with its id."""

    logs: list[LogChunk]
    more: bool
