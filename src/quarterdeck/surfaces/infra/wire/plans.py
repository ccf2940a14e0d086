"""What a plan would change, what people said of it, and drift."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.surfaces.infra.wire.jobs import Job


class PlanAttribute(Struct, kw_only=True):
    """`unknown`: its value is known after the apply. Values that are sensitive are masked on both sides.
    `forces_replacement`: it cannot be changed in place.
    """

    path: str
    before: Any
    after: Any
    sensitive: bool
    unknown: bool
    forces_replacement: bool


class PlanChange(Struct, kw_only=True):
    """`action` is `delete`, `replace`, `update`, `create`, `forget`, `read` or `no_op`; `reason` says why, where there
    is more to say than that it was declared so, and `forced_by` at which places a replacement is forced. `truncated`
    where values were left out.
    """

    address: str
    type: str
    action: str
    reason: str | None
    forced_by: list[str]
    attributes: list[PlanAttribute]
    truncated: bool


class PlanSummary(Struct, kw_only=True):
    """How many resources each action is for."""

    create: int
    update: int
    delete: int
    replace: int
    read: int
    forget: int
    no_op: int
    drifted: int
    imported: int
    truncated: bool


class Vote(Struct, kw_only=True):
    """`decision` is `approved` or `rejected`. A person who is gone is null."""

    user_id: str | None
    user_name: str | None
    decision: str
    comment: str | None
    created_at: str


class Approvals(Struct, kw_only=True):
    """How many people have to agree, how many have whose word counts, and what was said, oldest first. `yours` says
    whether the caller could agree now.
    """

    required: int
    given: int
    missing: int
    rejected: bool
    votes: list[Vote]
    yours: bool


class Applicable(Struct, kw_only=True):
    """Whether the plan may be applied now; else why not, and what to do."""

    ok: bool
    code: str | None
    reason: str | None
    hint: str | None


class SavedPlan(Struct, kw_only=True):
    """The saved plan: what is applied is this file, to the byte. `here` is false once it was taken away."""

    sha256: str
    size: int
    here: bool


class Holds(Struct, kw_only=True):
    """What a destruction would take away, by the state as it is now: how many resources, and the first 500 by their
    addresses. `moved`: it is something else than when the destruction was asked for, so nobody's word counts.
    """

    serial: int | None
    resources: int
    addresses: list[str]
    left_out: int
    moved: bool


class PlanShown(Struct, kw_only=True):
    """`summary` is null while nothing was told of it, and of a destruction. `changes` stand in the order of their risk;
    `drift` is what somebody else had changed when the plan was made.
    `state_serial` is of the state that it was made on, null for none. `cloud_identity` says which cloud it is for, and
    whose account of it. `holds` is of a destruction that has not ended.
    """

    job_id: str
    job_type: str
    status: str
    configuration_id: str | None
    configuration_hash: str | None
    cloud_identity_id: str | None
    cloud_identity: str | None
    summary: PlanSummary | None
    changes: list[PlanChange]
    drift: list[PlanChange]
    cost: dict[str, Any] | None
    state_serial: int | None
    state_lineage: str | None
    holds: Holds | None
    artifact: SavedPlan | None
    approvals: Approvals
    applicable: Applicable
    applied_by: str | None
    applied_at: str | None
    good_until: str | None
    created_at: str | None


class Say(Struct, kw_only=True):
    comment: Annotated[str, Meta(max_length=8000)] | UnsetType | None = UNSET


class Drift(Struct, kw_only=True):
    """What the last look found: `changes` are resources that somebody else has changed."""

    drifted: bool
    at: str
    job_id: str | None
    changes: list[PlanChange]
    left_out: int


class FailedLook(Struct, kw_only=True):
    """The last of several looks in a row that have failed, and why."""

    job_id: str
    at: str | None
    code: str | None
    message: str | None


class DriftShown(Struct, kw_only=True):
    """`minutes` is how often it is looked, null for never by itself; `drift` is null while nobody has looked. `failing`
    says that looks fail, null where they do not or only one did: then nobody knows what is so now.
    """

    drift: Drift | None
    failing: FailedLook | None
    minutes: int | None
    due_at: str | None
    checked_at: str | None


class DriftAsked(Struct, kw_only=True):
    job: Job
