"""States of specifications, as people see and change them."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Reason = Annotated[str, Meta(max_length=2000)]


class StateLock(Struct, kw_only=True):
    """Whoever works on the state, in Terraform's own words, and the job behind it."""

    id: str
    who: str | None
    operation: str | None
    info: str | None
    version: str | None
    created: str | None
    job_id: str | None
    locked_at: str | None


class State(Struct, kw_only=True):
    """`version` is the number of the version that counts; `serial` and `lineage` are null where that says that the
    state was removed. `resources` counts what Terraform manages, `addresses` names the first 500 of it; null while no
    version was written that told them.
    """

    version: int
    serial: int | None
    lineage: str | None
    resources: int
    addresses: list[str] | None
    lock: StateLock | None
    created_at: str
    updated_at: str


class StateShown(Struct, kw_only=True):
    """`state` is null while nothing was written yet and nobody holds its lock."""

    state: State | None


class VersionsQuery(Struct, kw_only=True):
    """`before` is the number below which the page begins."""

    before: Number | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class StateVersion(Struct, kw_only=True):
    """`cause` is `write`, `rollback`, `push` or `removed`. `author` is the name of whoever rolled back or pushed,
    `job_id` the job whose Terraform wrote it; a job that is gone is null.
    """

    number: int
    serial: int
    lineage: str
    sha256: str
    size: int
    resources: int
    cause: str
    reason: str | None
    job_id: str | None
    author: str | None
    current: bool
    created_at: str


class StateVersions(Struct, kw_only=True):
    """`next_before` begins the next page; null on the last."""

    versions: list[StateVersion]
    next_before: int | None


class StateVersionShown(Struct, kw_only=True):
    version: StateVersion


class DiffQuery(Struct, kw_only=True):
    """Without `to` the version that counts is meant, without `from` the one before `to`. `values` are told to those
    alone who may read states.
    """

    since: Number | UnsetType = field(default=UNSET, name="from")
    to: Number | UnsetType = UNSET
    values: bool = False


class AttributeDiff(Struct, kw_only=True):
    path: str
    sensitive: bool
    before: Any | UnsetType = UNSET
    after: Any | UnsetType = UNSET


class ResourceDiff(Struct, kw_only=True):
    """`action` is `create`, `update` or `delete`: what a version has that the other has not."""

    address: str
    action: str
    attributes: list[AttributeDiff]


class StateDiff(Struct, kw_only=True):
    """`left_out` counts resources that differ beyond those that are listed."""

    since: int = field(name="from")
    to: int
    summary: dict[str, int]
    changes: list[ResourceDiff]
    left_out: int


class Rollback(Struct, kw_only=True):
    version: Number
    reason: Reason | UnsetType = UNSET


class Unlock(Struct, kw_only=True):
    """With `lock_id` only this lock is taken away, without it whichever there is."""

    lock_id: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    reason: Reason | UnsetType = UNSET


class Push(Struct, kw_only=True):
    """`state` is the whole state, as `terraform state pull` writes it."""

    state: Raw
    reason: Reason | UnsetType = UNSET
