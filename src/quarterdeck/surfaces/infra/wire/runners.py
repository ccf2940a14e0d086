"""Runners as people and programs see them. Answers carry the keys of both generations of programs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Name = Annotated[str, Meta(max_length=1000)]
Id = Annotated[str, Meta(max_length=100)]
Word = Annotated[str, Meta(max_length=200)]
OptionalId = Id | UnsetType | None
Status = Literal["ONLINE", "OFFLINE", "DRAINING"]


class Runner(Struct, kw_only=True):
    """`kind` is `worker` for one that was enrolled and dials in, `runner` for a program that asks for its jobs.
    `outdated`: its version is not `due_version`, which is the newest release for a `runner`, and the server's own for a
    `worker` that is older. `user_id` is None for a cloud-hosted one. `takes_jobs` is false for a worker that was
    enrolled for infrastructure and did not offer it when last it came; `looks_only` is true for one that takes
    looks for drift and no other job.
    """

    id: str
    name: str
    mode: str
    status: Status
    last_heartbeat: str | None
    version: str | None
    is_default: bool
    created_at: str
    user_id: str | None
    cloud_identity_id: str | None
    kind: Literal["worker", "runner"]
    outdated: bool
    due_version: str | None
    drain_reason: str | None
    takes_jobs: bool
    looks_only: bool


class Runners(Struct, kw_only=True):
    """`next` is what `before` has to be for the page after this one, None on the last."""

    workers: list[Runner]
    runners: list[Runner]
    next: str | None


class Listing(Struct, kw_only=True):
    before: Id | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=500)] = 200


class Release(Struct, kw_only=True):
    id: str
    version: str
    release_notes: str | None
    released_at: str
    github_release_url: str | None
    commit_sha: str | None
    is_breaking: bool


class RunnerDetails(Runner, kw_only=True):
    """`programs` for infrastructure jobs are what an enrolled worker found when it started, with their versions."""

    programs: dict[str, str]
    metadata: dict[str, Any]
    release: Release | None
    latest_release: Release | None
    current_job_id: str | None


class OneRunner(Struct, kw_only=True):
    worker: RunnerDetails
    runner: RunnerDetails


class RunnerCreate(Struct, kw_only=True):
    name: Name | UnsetType | None = UNSET
    mode: Word | UnsetType | None = UNSET
    cloud_identity_id: OptionalId = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET


class Brief(Struct, kw_only=True):
    id: str
    name: str
    mode: str
    status: Status
    created_at: str


class Registered(Struct, kw_only=True):
    """The token is shown this once."""

    worker: Brief
    runner: Brief
    worker_id: str
    runner_id: str
    worker_token: str
    runner_token: str


class CloudRunnerCreate(Struct, kw_only=True):
    name: Name | UnsetType | None = UNSET
    mode: Word | UnsetType | None = UNSET


class Tokened(Struct, kw_only=True):
    """The token is shown this once."""

    runner_id: str
    runner_token: str
    worker_id: str
    worker_token: str


class RunnerDeploy(Struct, kw_only=True):
    name: Name | UnsetType | None = UNSET
    cloud_identity_id: OptionalId = UNSET
    region: Word | UnsetType | None = UNSET
    assigned_worker_id: OptionalId = UNSET
    assigned_runner_id: OptionalId = UNSET


class RunnerUpdate(Struct, kw_only=True):
    assigned_worker_id: OptionalId = UNSET
    assigned_runner_id: OptionalId = UNSET


class Named(Struct, kw_only=True):
    id: str
    name: str


class Queued(Struct, kw_only=True):
    id: str
    status: str
    created_at: str


class Lifted(Struct, kw_only=True):
    worker: Named
    runner: Named
    job: Queued


class RunnerDrain(Struct, kw_only=True):
    """`draining` false gives it new work again."""

    draining: bool = True
    reason: Annotated[str, Meta(max_length=1000)] | UnsetType | None = UNSET


class EnrolmentCreate(Struct, kw_only=True):
    label: Name | UnsetType | None = UNSET
    expires_in_hours: Annotated[int, Meta(ge=1, le=2160)] = 24


class Enrolment(Struct, kw_only=True):
    """The token is shown this once; it makes one machine a runner."""

    id: int
    label: str | None
    token: str
    expires_at: str | None


class Bootstrap(Struct, kw_only=True):
    token: Annotated[str, Meta(max_length=4000)]
    name: Name | UnsetType | None = UNSET
    version: Word | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET


class Success(Struct, kw_only=True):
    success: bool = True


class ReleaseCreate(Struct, kw_only=True):
    version: Word | UnsetType | None = UNSET
    release_notes: Annotated[str, Meta(max_length=100_000)] | UnsetType | None = UNSET
    github_release_url: Annotated[str, Meta(max_length=1000)] | UnsetType | None = UNSET
    commit_sha: Annotated[str, Meta(max_length=64)] | UnsetType | None = UNSET
    is_breaking: bool | UnsetType | None = UNSET


class Published(Struct, kw_only=True):
    id: str
    success: bool = True


class Releases(Struct, kw_only=True):
    """Newest first; `next` as for runners."""

    releases: list[Release]
    latest: Release | None
    next: str | None


class Depth(Struct, kw_only=True):
    """Jobs that were put back into the queue now, and how many wait in all."""

    recovered: int
    queued: int
