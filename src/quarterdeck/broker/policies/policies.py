"""Policies: found, made, changed, deleted (contract: broker §1.8 and §5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select

from quarterdeck.access import Access
from quarterdeck.broker.policies import authoring, selectors
from quarterdeck.broker.policies.happenings import PolicyAction, happened
from quarterdeck.broker.policies.model import Policy
from quarterdeck.broker.tenancy import projects
from quarterdeck.broker.workflows import seeding, versions, workflows
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.text import one_line
from quarterdeck.workspace.model import Project

MOST = 2000
"""Policies of an organization: each is looked at for each request."""
RESERVED = 9000
"""From here on priorities are for rules of the whole organization."""
HIGHEST = 1_000_000
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy as somebody wants it; the ids are uids."""

    name: str
    selector: Mapping[str, Any]
    workflow_uid: str
    priority: int = 0
    enabled: bool = False
    direct_reveal: bool = False


def page(tx: Tx, limit: int, after: str | None = None) -> list[Policy]:
    """Those of the current organization, the highest priority first and then the oldest, behind that of uid `after`."""
    query = select(Policy).where(Policy.organization_id == tx.principal.acts_in)
    if after:
        last = find(tx, after)
        query = query.where(
            or_(Policy.priority < last.priority, and_(Policy.priority == last.priority, Policy.id > last.id))
        )
    return list(tx.scalars(query.order_by(Policy.priority.desc(), Policy.id).limit(limit)))


def find(tx: Tx, uid: str) -> Policy:
    """One of the current organization. Raises `NotFound` (`policy_not_found`)."""
    here = (Policy.organization_id == tx.principal.acts_in, Policy.uid == uid.lower())
    found = tx.first(select(Policy).where(*here))
    if found is None:
        raise NotFound(f"There is no policy {uid[:60]}.", code="policy_not_found", hint="Look at the list of policies.")
    return found


def locked(tx: Tx, uid: str) -> Policy:
    """`find` for a change: neither workflows nor policies of the organization change elsewhere until the unit ends."""
    versions.alone(tx, tx.principal.acts_in)
    found = find(tx, uid)
    tx.session.refresh(found)
    return found


def create(tx: Tx, access: Access, draft: Draft, project_uid: str | None = None) -> Policy:
    """Make a rule, of one project alone where it is named. Raises `Invalid`, `Forbidden` as `authoring.require`, and
    `Conflict` (`policy_limit`, `project_archived`).
    """
    organization_id = tx.principal.acts_in
    project = projects.usable(tx, project_uid) if project_uid else None
    seeding.lay(tx, organization_id)
    versions.alone(tx, organization_id)
    selector = _permitted(tx, access, project, draft)
    values = _checked(tx, project, draft, selector)
    counted = select(func.count()).select_from(Policy).where(Policy.organization_id == organization_id)
    if int(tx.execute(counted).scalar_one()) >= MOST:
        raise Conflict(f"There are {MOST} policies.", code="policy_limit", hint="Delete those that match nothing.")
    policy = tx.add(
        Policy(
            uid=tx.ids.uid(),
            organization_id=organization_id,
            project_id=project.id if project else None,
            is_system=False,
            created_at=tx.now,
            updated_at=tx.now,
            **values,
        )
    )
    told = _told(draft, values)
    happened(tx, policy, PolicyAction.CREATED, **told, **({"projectId": project.uid} if project else {}))
    return policy


def change(tx: Tx, access: Access, uid: str, draft: Draft, project_uid: str | None = None) -> Policy:
    """Replace a rule. Whose it is stays: another `project_uid` is refused. Who changes it has to be allowed both what
    it was and what it becomes. Raises as `create`, and `NotFound`.
    """
    policy = locked(tx, uid)
    project = _project(tx, policy)
    authoring.require(tx, access, project, policy.selector, direct_reveal=policy.direct_reveal)
    if project_uid and (project is None or project_uid.lower() != project.uid):
        raise Invalid(
            "project_id: a rule stays with its project, or with none.",
            hint="Make another rule, and delete this one.",
            field="project_id",
        )
    selector = _permitted(tx, access, project, draft)
    values = _checked(tx, project, draft, selector)
    moved = {word: value for word, value in values.items() if getattr(policy, word) != value}
    if moved:
        for word, value in moved.items():
            setattr(policy, word, value)
        policy.updated_at = tx.now
        happened(tx, policy, PolicyAction.CHANGED, changed=sorted(moved), **_told(draft, moved))
    return policy


def delete(tx: Tx, access: Access, uid: str) -> None:
    """Raises `NotFound`, `Forbidden`, and `Conflict` (`policy_is_built_in`)."""
    policy = locked(tx, uid)
    authoring.require(tx, access, _project(tx, policy), policy.selector, direct_reveal=policy.direct_reveal)
    if policy.is_system:
        raise Conflict(f"The policy {policy.name} is built in.", code="policy_is_built_in", hint="Change it instead.")
    happened(tx, policy, PolicyAction.DELETED)
    tx.session.delete(policy)
    tx.flush()


def _project(tx: Tx, policy: Policy) -> Project | None:
    return tx.get(Project, policy.project_id) if policy.project_id is not None else None


def _permitted(tx: Tx, access: Access, project: Project | None, draft: Draft) -> dict[str, str]:
    """The selector, once it is known that the caller may write such a rule."""
    selector = selectors.checked(draft.selector)
    authoring.require(tx, access, project, selector, direct_reveal=draft.direct_reveal)
    return selector


def _checked(tx: Tx, project: Project | None, draft: Draft, selector: dict[str, str]) -> dict[str, Any]:
    """Columns by name."""
    if "project_id" in selector:
        named = projects.named(tx, selector["project_id"], "selector.project_id")
        if project is not None and named.id != project.id:
            raise Invalid("selector.project_id: the rule is of another project.", hint="Leave it out.",
                          field="selector.project_id")  # fmt: skip
    if not 0 <= draft.priority <= HIGHEST:
        raise Invalid(f"priority: it is a number, 0 to {HIGHEST}.", hint="Higher ones are asked first.",
                      field="priority")  # fmt: skip
    if project is not None and draft.priority >= RESERVED:
        raise Invalid(
            f"priority: from {RESERVED} on they are for rules of the whole organization.",
            code="priority_reserved",
            hint=f"Take one below {RESERVED}.",
            field="priority",
        )
    if draft.direct_reveal and selector.get("environment_kind") == selectors.PROD:
        raise Invalid(
            "direct_reveal_allowed: nothing in production is read without approval.",
            code="direct_reveal_in_production",
            hint="Leave it out, or let the rule be about non_prod.",
            field="direct_reveal_allowed",
        )
    return {
        "name": one_line(draft.name, "name", LONGEST_NAME),
        "selector": selector,
        "workflow_id": _workflow(tx, draft.workflow_uid).id,
        "priority": draft.priority,
        "enabled": draft.enabled,
        "direct_reveal": draft.direct_reveal,
    }


def _workflow(tx: Tx, uid: str) -> Workflow:
    try:
        return workflows.find(tx, uid)
    except NotFound:
        raise Invalid(
            f"workflow_id: there is no workflow {uid[:60]}.",
            code="workflow_unknown",
            hint="Look at the list of workflows.",
            field="workflow_id",
        ) from None


def _told(draft: Draft, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the trail says of a change, by the ids of the wire."""
    told = {word: value for word, value in values.items() if word not in {"name", "workflow_id"}}
    return {**told, "workflowId": draft.workflow_uid} if "workflow_id" in values else told
