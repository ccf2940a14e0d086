"""Workflows: found, made, changed, deleted (contract: broker §1.8 and §5.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import func, select, tuple_

from quarterdeck.broker.policies.model import Policy
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.workflows import seeding, versions
from quarterdeck.broker.workflows import steps as steps_of
from quarterdeck.broker.workflows.happenings import WorkflowAction, happened
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.text import lines, one_line

MOST = 500
"""Workflows of an organization."""
LONGEST_SECONDS = 366 * 24 * 3600
LONGEST_NAME, LONGEST_DESCRIPTION = 200, 2000
MOST_CHANNELS, LONGEST_CHANNEL = 20, 100
TIMES = (
    "wrap_ttl_created_seconds", "wrap_ttl_approved_seconds", "wrap_ttl_claimed_seconds", "request_ttl_seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """A workflow as somebody wants it, but for its name: times in seconds, `approver_role_uid` and the `role` of steps
    uids of roles. None leaves `steps`, `grant_seconds` and `break_glass` as they are; a new workflow has none of them.
    """

    description: str | None = None
    min_approvers: int = 0
    approver_role_uid: str | None = None
    wrap_ttl_created_seconds: int = 0
    wrap_ttl_approved_seconds: int = 0
    wrap_ttl_claimed_seconds: int = 0
    request_ttl_seconds: int = 0
    require_justification: bool = False
    allow_self_approval: bool = False
    notification_channels: Sequence[str] = ()
    enabled: bool = False
    steps: Sequence[Mapping[str, Any]] | None = None
    grant_seconds: int | None = None
    break_glass: bool | None = None


def page(tx: Tx, limit: int, after: str | None = None) -> list[Workflow]:
    """Those of the current organization by name, behind that of the uid `after`."""
    query = select(Workflow).where(Workflow.organization_id == tx.principal.acts_in)
    if after:
        last = find(tx, after)
        query = query.where(tuple_(Workflow.name, Workflow.id) > tuple_(last.name, last.id))
    return list(tx.scalars(query.order_by(Workflow.name, Workflow.id).limit(limit)))


def find(tx: Tx, uid: str) -> Workflow:
    """One of the current organization. Raises `NotFound` (`workflow_not_found`)."""
    here = (Workflow.organization_id == tx.principal.acts_in, Workflow.uid == uid.lower())
    found = tx.first(select(Workflow).where(*here))
    if found is None:
        raise NotFound(
            f"There is no workflow {uid[:60]}.", code="workflow_not_found", hint="Look at the list of workflows."
        )
    return found


def locked(tx: Tx, uid: str) -> Workflow:
    """`find` for a change: neither workflows nor policies of the organization change elsewhere until the unit ends."""
    versions.alone(tx, tx.principal.acts_in)
    found = find(tx, uid)
    tx.session.refresh(found)
    return found


def default(tx: Tx, organization_id: int) -> Workflow:
    """What a request takes that no policy sends elsewhere, laid down where there was none yet."""
    seeding.lay(tx, organization_id)
    query = select(Workflow).where(Workflow.organization_id == organization_id, Workflow.is_default.is_(True))
    return tx.one(query, what="default workflow")


def create(tx: Tx, name: str, draft: Draft, *, is_default: bool = False) -> Workflow:
    """Make a workflow. Raises `Invalid`, and `Conflict` (`workflow_name_taken`, `workflow_default_taken`)."""
    organization_id = tx.principal.acts_in
    seeding.lay(tx, organization_id)
    versions.alone(tx, organization_id)
    name = one_line(name, "name", LONGEST_NAME)
    if is_default:
        raise Conflict(
            f"The workflow {default(tx, organization_id).name} is the default already, and there is one.",
            code="workflow_default_taken",
            hint="Change that one, or send requests to this one by a policy.",
            field="is_default",
        )
    _free(tx, organization_id, name)
    values = _checked(tx, draft)
    workflow = tx.add(
        Workflow(
            uid=tx.ids.uid(),
            organization_id=organization_id,
            name=name,
            is_default=False,
            is_system=False,
            created_at=tx.now,
            updated_at=tx.now,
            **{"steps": [], "grant_seconds": 0, "break_glass": False, **values},
        )
    )
    happened(tx, workflow, WorkflowAction.CREATED, **_told(values))
    return workflow


def change(tx: Tx, uid: str, draft: Draft) -> Workflow:
    """Replace what a workflow asks for. Its name stays, and whether it is the default. Raises `Invalid`, `NotFound`,
    and `Conflict` (`workflow_is_default`) where the default would be switched off.
    """
    workflow = locked(tx, uid)
    values = _checked(tx, draft)
    if workflow.is_default and not values["enabled"]:
        raise Conflict(
            f"The workflow {workflow.name} is the default: requests that no policy matches need it.",
            code="workflow_is_default",
            hint="Send enabled: true.",
            field="enabled",
        )
    moved = {word: value for word, value in values.items() if getattr(workflow, word) != value}
    if moved:
        for word, value in moved.items():
            setattr(workflow, word, value)
        workflow.updated_at = tx.now
        happened(tx, workflow, WorkflowAction.CHANGED, changed=sorted(moved), **_told(moved))
    return workflow


def delete(tx: Tx, uid: str) -> None:
    """Raises `NotFound`, and `Conflict` (`workflow_is_built_in`, `workflow_in_use`)."""
    workflow = locked(tx, uid)
    if workflow.is_system:
        raise Conflict(
            f"The workflow {workflow.name} is built in.", code="workflow_is_built_in", hint="Change it instead."
        )
    used = [
        f"{number} {word if number == 1 else words}"
        for model, word, words in ((Policy, "policy", "policies"), (Request, "request", "requests"))
        if (number := _count(tx, model, workflow))
    ]
    if used:
        raise Conflict(
            f"The workflow {workflow.name} is used by {' and '.join(used)}.",
            code="workflow_in_use",
            hint="Send policies to another workflow. One that requests have taken stays with them: switch it off.",
        )
    happened(tx, workflow, WorkflowAction.DELETED)
    tx.session.delete(workflow)
    tx.flush()


def _count(tx: Tx, model: Any, workflow: Workflow) -> int:
    return int(tx.execute(select(func.count()).select_from(model).where(model.workflow_id == workflow.id)).scalar_one())


def _free(tx: Tx, organization_id: int, name: str) -> None:
    mine = select(Workflow).where(Workflow.organization_id == organization_id)
    if tx.first(mine.where(Workflow.name == name)) is not None:
        raise Conflict(
            f"There is a workflow {name} already.",
            code="workflow_name_taken",
            hint="Choose another name.",
            field="name",
        )
    counted = select(func.count()).select_from(Workflow).where(Workflow.organization_id == organization_id)
    if int(tx.execute(counted).scalar_one()) >= MOST:
        raise Conflict(f"There are {MOST} workflows.", code="workflow_limit", hint="Delete those that nobody uses.")


def _checked(tx: Tx, draft: Draft) -> dict[str, Any]:
    """Columns by name; without those of `steps`, `grant_seconds` and `break_glass` that are left as they are."""
    values = {one.name: getattr(draft, one.name) for one in fields(draft)}
    values["description"] = lines(draft.description or "", "description", LONGEST_DESCRIPTION) or None
    steps_of.people(draft.min_approvers, "min_approvers")
    values["approver_role_uid"] = steps_of.role(tx, draft.approver_role_uid, "approver_role_id")
    for field in TIMES:
        _seconds(values[field], field)
    if len(draft.notification_channels) > MOST_CHANNELS:
        raise Invalid(f"notification_channels: {MOST_CHANNELS} at most.", hint="Name fewer.",
                      field="notification_channels")  # fmt: skip
    values["notification_channels"] = [
        one_line(one, "notification_channels", LONGEST_CHANNEL) for one in draft.notification_channels
    ]
    if draft.steps is not None:
        values["steps"] = steps_of.kept(tx, draft.steps)
    if draft.grant_seconds is not None:
        _seconds(draft.grant_seconds, "grant_seconds", least=0)
    return {word: value for word, value in values.items() if value is not None or word in _NULLABLE}


_NULLABLE = frozenset({"description", "approver_role_uid"})


def _seconds(value: int, field: str, *, least: int = 1) -> None:
    if not least <= value <= LONGEST_SECONDS:
        raise Invalid(
            f"{field}: it is a number of seconds, {least} to {LONGEST_SECONDS}.",
            hint="Send how long it lasts.",
            field=field,
        )


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the trail says of a change: all but the words for people."""
    return {word: value for word, value in values.items() if word != "description"}
