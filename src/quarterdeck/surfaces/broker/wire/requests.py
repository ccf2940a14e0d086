"""Requests (contract: broker §1.7). Ids of people in bodies can only be the caller's own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Text = Annotated[str, Meta(max_length=4000)]
Word = Annotated[str, Meta(max_length=1000)]
Keys = Annotated[list[Annotated[str, Meta(max_length=400)]], Meta(max_length=100)]
Values = Annotated[dict[str, Annotated[str, Meta(max_length=65_536)]], Meta(max_length=100)]
Kind = Literal["read", "patch", "update", "rotate"]
Status = Literal["pending", "approved", "executed", "failed", "rejected", "cancelled", "expired"]


class Asked(Struct, kw_only=True):
    """What every request says. `target_provider_config` is empty, or names a connection: `{"connection": "NAME"}`.
    `direct`: without approval, where a policy lets one; `emergency`: without approval, to be reviewed afterwards.
    """

    requester_id: Word | UnsetType | None = UNSET
    project_id: Word | UnsetType | None = UNSET
    environment: Word | UnsetType | None = UNSET
    target_provider_type: Word | UnsetType | None = UNSET
    target_provider_config: dict[str, Any] | UnsetType | None = UNSET
    target_secret_ref: Word | UnsetType | None = UNSET
    justification: Text | UnsetType | None = UNSET
    emergency: bool = False


class NewChange(Asked, kw_only=True):
    """Keys and their new values."""

    key_values: Values | UnsetType | None = UNSET


class NewRead(Asked, kw_only=True):
    """Without keys all of them are read. `recipient_key`: an X25519 public key that the values are sealed to, so that
    the server never sees them.
    """

    target_keys: Keys | UnsetType | None = UNSET
    recipient_key: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    direct: bool = False


class NewRotation(Asked, kw_only=True):
    """Keys that get values made where they are kept, which nobody is given."""

    target_keys: Keys | UnsetType | None = UNSET
    length: int = 32
    alphabet: Literal["letters-digits", "hex", "digits", "printable"] = "letters-digits"


class Edit(Struct, kw_only=True):
    """What is given is changed; everything that was said of the request counts no more."""

    justification: Text | UnsetType = UNSET
    target_keys: Keys | UnsetType = UNSET
    key_values: Values | UnsetType = UNSET


class Approve(Struct, kw_only=True):
    approver_id: Word | UnsetType | None = UNSET
    comment: Annotated[str, Meta(max_length=2000)] | UnsetType | None = UNSET


class Reject(Struct, kw_only=True):
    approver_id: Word | UnsetType | None = UNSET
    reason: Annotated[str, Meta(max_length=2000)] | UnsetType | None = UNSET


class Cancel(Struct, kw_only=True):
    actor_id: Word | UnsetType | None = UNSET


class Review(Struct, kw_only=True):
    comment: Annotated[str, Meta(max_length=2000)]


class RequestsQuery(Struct, kw_only=True):
    requester_id: Word | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    unreviewed: bool = False


class Approval(Struct, kw_only=True):
    id: str
    approver_id: str
    decision: Literal["approve", "reject"]
    created_at: str
    comment: str | UnsetType = UNSET
    approver_display: str | UnsetType = UNSET
    step: int = 0
    counts: bool = True


class Step(Struct, kw_only=True):
    """One step of the approval: how many have agreed of how many."""

    name: str
    required: int
    given: int
    done: bool


class Scope(Struct, kw_only=True):
    project_id: str | UnsetType = UNSET
    environment: str | UnsetType = UNSET


class Request(Struct, kw_only=True):
    """Values never appear. `approvals`, `steps` and `explanation` are told of a single request alone."""

    id: str
    requester_id: str
    type: Kind
    justification: str
    status: Status
    created_at: str
    updated_at: str
    workflow_id: str | UnsetType = UNSET
    target_provider_type: str | UnsetType = UNSET
    target_provider_config: dict[str, Any] | UnsetType = UNSET
    target_secret_ref: str | UnsetType = UNSET
    target_keys: list[str] | UnsetType = UNSET
    target_scope: Scope | UnsetType = UNSET
    job_id: str | UnsetType = UNSET
    reject_reason: str | UnsetType = UNSET
    approvals: list[Approval] | UnsetType = UNSET
    steps: list[Step] | UnsetType = UNSET
    explanation: dict[str, Any] | UnsetType = UNSET
    requester_display: str | UnsetType = UNSET
    on_behalf: str | UnsetType = UNSET
    revision: int = 1
    expires_at: str | UnsetType = UNSET
    granted_until: str | UnsetType = UNSET
    recipient_key: str | UnsetType = UNSET
    emergency: bool | UnsetType = UNSET
    reviewed_at: str | UnsetType = UNSET
    review_comment: str | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    error_message: str | UnsetType = UNSET
