"""Workflows (contract: broker §5.2)."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

WorkflowText = Annotated[str, Meta(max_length=4000)]
Channels = Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=100)]
WorkflowNumber = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class WorkflowStep(Struct, kw_only=True):
    """So many `approvers` of the role (without one: whoever may approve) agree before the next step."""

    name: Annotated[str, Meta(max_length=200)]
    approvers: WorkflowNumber = 1
    role_id: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET


class WorkflowBody(Struct, kw_only=True):
    """What is left out is empty, zero or false, `enabled` too. Of `steps`, `grant_seconds` and `break_glass`, a change
    leaves what is left out as it is. A change keeps `name` and `is_default`, whatever it sends; `is_system` of clients
    is ignored.
    """

    name: Annotated[str, Meta(max_length=400)] | UnsetType | None = UNSET
    description: WorkflowText | UnsetType | None = UNSET
    min_approvers: WorkflowNumber | UnsetType | None = UNSET
    approver_role_id: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    wrap_ttl_created_seconds: WorkflowNumber | UnsetType | None = UNSET
    wrap_ttl_approved_seconds: WorkflowNumber | UnsetType | None = UNSET
    wrap_ttl_claimed_seconds: WorkflowNumber | UnsetType | None = UNSET
    request_ttl_seconds: WorkflowNumber | UnsetType | None = UNSET
    require_justification: bool | UnsetType | None = UNSET
    allow_self_approval: bool | UnsetType | None = UNSET
    notification_channels: Channels | UnsetType | None = UNSET
    is_default: bool | UnsetType | None = UNSET
    enabled: bool | UnsetType | None = UNSET
    steps: Annotated[list[WorkflowStep], Meta(max_length=100)] | UnsetType | None = UNSET
    grant_seconds: WorkflowNumber | UnsetType | None = UNSET
    break_glass: bool | UnsetType | None = UNSET


class Workflow(Struct, kw_only=True):
    """`is_default` and `is_system` are left out where they are false. Times are seconds. `steps` are taken one after
    the other; without any, `min_approvers` people of `approver_role_id` agree, at least one. For `grant_seconds`
    whoever was let read a secret may read it again; with `break_glass` one may go ahead, and be reviewed afterwards.
    """

    id: str
    name: str
    min_approvers: int
    wrap_ttl_created_seconds: int
    wrap_ttl_approved_seconds: int
    wrap_ttl_claimed_seconds: int
    request_ttl_seconds: int
    require_justification: bool
    allow_self_approval: bool
    notification_channels: list[str]
    enabled: bool
    created_at: str
    updated_at: str
    steps: list[WorkflowStep]
    grant_seconds: int
    break_glass: bool
    description: str | UnsetType = UNSET
    approver_role_id: str | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    is_system: bool | UnsetType = UNSET
