"""Rules, and the workflows that they lead to, as their pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from quarterdeck.console.views.secrets import RULES, WORKFLOWS, StepView

SELECTOR = ("project_id", "environment", "environment_kind", "provider_type", "secret_ref_prefix", "operation")
TIMES = ("request_ttl_seconds", "wrap_ttl_created_seconds", "wrap_ttl_approved_seconds", "wrap_ttl_claimed_seconds",
         "grant_seconds")  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleRow:
    """`told` is its selector in words; `project` the uid and name of the one that it is of, else of all."""

    uid: str
    name: str
    told: str
    selector: Mapping[str, str]
    priority: int
    enabled: bool
    direct: bool
    workflow: tuple[str, str]
    workflow_enabled: bool
    project: tuple[str, str] | None
    built_in: bool
    changed: datetime

    @property
    def href(self) -> str:
        return f"{RULES}/{self.uid}"


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """As it was chosen and typed."""

    name: str
    workflow: str
    priority: str
    enabled: bool
    direct: bool
    project: str
    selector: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """`times` are seconds by the words of `TIMES`; `used` says by what it is used."""

    uid: str
    name: str
    description: str
    steps: tuple[StepView, ...]
    roles: tuple[str, ...]
    """Uids of the roles of the steps."""
    own_steps: bool
    times: Mapping[str, int]
    justification: bool
    self_approval: bool
    emergencies: bool
    enabled: bool
    default: bool
    built_in: bool
    changed: datetime

    @property
    def href(self) -> str:
        return f"{WORKFLOWS}/{self.uid}"

    @property
    def people(self) -> int:
        return sum(step.required for step in self.steps)


@dataclass(frozen=True, slots=True)
class WorkflowDraft:
    """As it was chosen and typed; `steps` are name, number of people, uid of a role. `times` as in `2h` or seconds."""

    name: str
    description: str
    steps: tuple[tuple[str, str, str], ...]
    times: Mapping[str, str]
    justification: bool
    self_approval: bool
    emergencies: bool
    enabled: bool
