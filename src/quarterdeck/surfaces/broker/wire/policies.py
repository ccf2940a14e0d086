"""Policies, and what they would do (contract: broker §5.1)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

PolicyId = Annotated[str, Meta(max_length=100)]
Operation = Literal["read", "patch", "update", "rotate", "reveal"]


class PolicyBody(Struct, kw_only=True):
    """What is left out is empty, zero or false, `enabled` too. A selector has the keys `project_id`, `environment` (a
    name), `environment_kind` (`prod` or `non_prod`), `provider_type`, `secret_ref_prefix` and `operation`, each of
    which has to fit. With `project_id` beside it the rule is one of that project; a change keeps whose it is.
    """

    name: Annotated[str, Meta(max_length=400)] | UnsetType | None = UNSET
    selector: dict[str, Any] | UnsetType | None = UNSET
    workflow_id: PolicyId | UnsetType | None = UNSET
    priority: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] | UnsetType | None = UNSET
    enabled: bool | UnsetType | None = UNSET
    direct_reveal_allowed: bool | UnsetType | None = UNSET
    project_id: PolicyId | UnsetType | None = UNSET


class Policy(Struct, kw_only=True):
    """`is_system` and `direct_reveal_allowed` are left out where they are false, `project_id` of rules for the whole
    organization.
    """

    id: str
    name: str
    selector: dict[str, Any]
    workflow_id: str
    priority: int
    enabled: bool
    created_at: str
    updated_at: str
    is_system: bool | UnsetType = UNSET
    direct_reveal_allowed: bool | UnsetType = UNSET
    project_id: str | UnsetType = UNSET


class PolicyQuestion(Struct, kw_only=True):
    """A request that nobody makes. Without an environment production is meant."""

    provider_type: Annotated[str, Meta(min_length=1, max_length=40)]
    secret_ref: Annotated[str, Meta(min_length=1, max_length=1000)]
    operation: Operation
    project_id: PolicyId | UnsetType | None = UNSET
    environment: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET


class LookedAt(Struct, kw_only=True):
    """A rule that was looked at, and why it was taken or not. `scope` is `project` or `platform`."""

    policy_id: str
    policy_name: str
    priority: int
    scope: Literal["project", "platform"]
    selector: dict[str, Any]
    workflow_id: str
    outcome: Literal["taken", "not-matched", "workflow-disabled"]
    reason: str


class PolicyAnswer(Struct, kw_only=True):
    """`policy_id` is left out where the default workflow is taken for want of a rule. `rules` are in the order of
    looking, up to the one that is taken. `direct_reveal_refused`: the rule would let one read without approval, which
    nothing in production does.
    """

    workflow_id: str
    workflow_name: str
    production: bool
    direct_reveal_allowed: bool
    direct_reveal_refused: bool
    explanation: str
    rules: list[LookedAt]
    policy_id: str | UnsetType = UNSET
    policy_name: str | UnsetType = UNSET
