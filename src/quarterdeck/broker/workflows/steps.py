"""The steps of a workflow, as they are asked for, kept, and taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quarterdeck.access import roles
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.text import one_line

MOST, MOST_APPROVERS = 10, 20
FAMILY = "broker"
ONLY = "approval"
"""What the one step of a workflow without steps of its own is called."""


@dataclass(frozen=True, slots=True)
class Step:
    """So many people of a role (its uid; None: of whatever role approves) agree before the next step begins."""

    name: str
    approvers: int
    role_uid: str | None


def steps(workflow: Workflow) -> tuple[Step, ...]:
    """At least one, each of at least one person: no workflow approves by itself, whatever `min_approvers` says."""
    kept = tuple(Step(one["name"], max(1, one["approvers"]), one.get("role")) for one in workflow.steps)
    return kept or (Step(ONLY, max(1, workflow.min_approvers), workflow.approver_role_uid),)


def kept(tx: Tx, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Steps as they are stored. Raises `Invalid`, also for a role that there is not (`role_unknown`)."""
    if len(given) > MOST:
        raise Invalid(f"steps: there are {len(given)}, of {MOST} at most.", hint="Take fewer steps.", field="steps")
    return [
        {
            "name": one_line(str(one["name"]), f"steps[{index}].name", 100),
            "approvers": people(one["approvers"], f"steps[{index}].approvers", least=1),
            "role": role(tx, one.get("role"), f"steps[{index}].role_id"),
        }
        for index, one in enumerate(given)
    ]


def people(number: int, field: str, *, least: int = 0) -> int:
    if not least <= number <= MOST_APPROVERS:
        raise Invalid(f"{field}: it is a number of people, {least} to {MOST_APPROVERS}.", hint="Send such a number.",
                      field=field)  # fmt: skip
    return number


def role(tx: Tx, uid: str | None, field: str) -> str | None:
    """The uid of a role of the broker or of the organization's own; None where none is asked for."""
    if not uid:
        return None
    try:
        return roles.find(tx, FAMILY, uid=uid.lower()).uid
    except NotFound:
        raise Invalid(
            f"{field}: there is no role {uid[:60]}.",
            code="role_unknown",
            hint="Look at the list of roles.",
            field=field,
        ) from None
