"""Rules and workflows for their pages, and how they are made, changed, deleted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from quarterdeck.access import roles
from quarterdeck.broker.policies import listing, policies
from quarterdeck.broker.policies.listing import Listed
from quarterdeck.broker.tenancy import projects
from quarterdeck.broker.workflows import seeding, workflows
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.broker.workflows.steps import FAMILY, steps
from quarterdeck.console.domain.confirming import require_typed
from quarterdeck.console.views.secret_rules import TIMES, RuleDraft, RuleRow, WorkflowDraft, WorkflowRow
from quarterdeck.console.views.secrets import PROVIDERS, StepView
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.principal import Principal
from quarterdeck.workspace.model import Project

MOST = 500
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
DURATION = re.compile(r"(\d{1,9})\s*([smhd]?)")
SAID = {
    "project_id": "of the project {}",
    "environment": "in the environment {}",
    "environment_kind": "in {}",
    "provider_type": "kept in {}",
    "secret_ref_prefix": "whose reference begins with {}",
    "operation": "to {}",
}


class SecretRules:
    """`who` is the caller that the unit of work knows from its context; the rooms decide who may write which rule."""

    instance: Any

    async def secret_rules(self, who: Principal) -> tuple[RuleRow, ...]:
        def read(tx: Tx) -> tuple[RuleRow, ...]:
            return tuple(_rule(tx, one) for one in listing.page(tx, MOST))

        found: tuple[RuleRow, ...] = await seeding.reading(self.instance.db, who.acts_in, read)
        return found

    async def secret_rule(self, who: Principal, uid: str) -> RuleRow:
        found: RuleRow = await self.instance.db.read(
            lambda tx: _rule(tx, listing.listed(tx, policies.find(tx, uid)))
        )  # fmt: skip
        return found

    async def save_secret_rule(self, who: Principal, uid: str, draft: RuleDraft) -> str:
        access = self.instance.access
        wanted = policies.Draft(
            name=draft.name,
            selector={key: value for key, value in draft.selector.items() if value},
            workflow_uid=draft.workflow,
            priority=_whole(draft.priority, "priority"),
            enabled=draft.enabled,
            direct_reveal=draft.direct,
        )

        def save(tx: Tx) -> str:
            if uid:
                return policies.change(tx, access, uid, wanted, draft.project or None).uid
            return policies.create(tx, access, wanted, draft.project or None).uid

        made: str = await self.instance.db.write(save)
        return made

    async def delete_secret_rule(self, who: Principal, uid: str, confirmation: str) -> None:
        def delete(tx: Tx) -> None:
            require_typed(confirmation, policies.find(tx, uid).name)
            policies.delete(tx, self.instance.access, uid)

        await self.instance.db.write(delete)

    async def secret_workflows(self, who: Principal) -> tuple[WorkflowRow, ...]:
        def read(tx: Tx) -> tuple[WorkflowRow, ...]:
            return tuple(_workflow(tx, one) for one in workflows.page(tx, MOST))

        found: tuple[WorkflowRow, ...] = await seeding.reading(self.instance.db, who.acts_in, read)
        return found

    async def secret_workflow(self, who: Principal, uid: str) -> WorkflowRow:
        found: WorkflowRow = await self.instance.db.read(lambda tx: _workflow(tx, workflows.find(tx, uid)))
        return found

    async def save_secret_workflow(self, who: Principal, uid: str, draft: WorkflowDraft) -> str:
        wanted = _draft(draft)

        def save(tx: Tx) -> str:
            if not uid:
                return workflows.create(tx, draft.name, wanted).uid
            channels = tuple(workflows.locked(tx, uid).notification_channels)  # no form has them: they stay
            return workflows.change(tx, uid, replace(wanted, notification_channels=channels)).uid

        made: str = await self.instance.db.write(save)
        return made

    async def delete_secret_workflow(self, who: Principal, uid: str, confirmation: str) -> None:
        def delete(tx: Tx) -> None:
            require_typed(confirmation, workflows.find(tx, uid).name)
            workflows.delete(tx, uid)

        await self.instance.db.write(delete)

    async def secret_roles(self, who: Principal) -> tuple[tuple[str, str], ...]:
        def read(tx: Tx) -> tuple[tuple[str, str], ...]:
            return tuple((one.uid, one.name) for one in roles.visible(tx, FAMILY))

        found: tuple[tuple[str, str], ...] = await self.instance.db.read(read)
        return found

    async def secret_projects(self, who: Principal) -> tuple[tuple[str, str], ...]:
        def read(tx: Tx) -> tuple[tuple[str, str], ...]:
            return tuple((one.project.uid, one.project.name) for one in projects.page(tx, MOST))

        found: tuple[tuple[str, str], ...] = await self.instance.db.read(read)
        return found


def _rule(tx: Tx, one: Listed) -> RuleRow:
    policy = one.policy
    workflow = tx.get(Workflow, policy.workflow_id)
    project = tx.get(Project, policy.project_id) if policy.project_id is not None else None
    selector = {str(key): str(value) for key, value in policy.selector.items()}
    return RuleRow(
        uid=policy.uid,
        name=policy.name,
        told=_told(tx, selector),
        selector=selector,
        priority=policy.priority,
        enabled=policy.enabled,
        direct=policy.direct_reveal,
        workflow=(one.workflow_uid, workflow.name if workflow is not None else ""),
        workflow_enabled=workflow is not None and workflow.enabled,
        project=(project.uid, project.name) if project is not None else None,
        built_in=policy.is_system,
        changed=policy.updated_at,
    )


def _told(tx: Tx, selector: Mapping[str, str]) -> str:
    """A selector in words: `requests in production, kept in Vault`."""
    parts = []
    for key, words in SAID.items():
        if key not in selector:
            continue
        value = selector[key]
        if key == "environment_kind":
            value = {"prod": "production", "non_prod": "other than production"}.get(value, value)
        elif key == "provider_type":
            value = PROVIDERS.get(value, value)
        elif key == "project_id":
            value = next((one.name for one in [_project(tx, value)] if one is not None), value)
        parts.append(words.format(value))
    return f"requests {', '.join(parts)}" if parts else "every request"


def _project(tx: Tx, uid: str) -> Project | None:
    try:
        return projects.named(tx, uid, "project_id")
    except Invalid:
        return None


def _workflow(tx: Tx, one: Workflow) -> WorkflowRow:
    asked = steps(one)
    names = {role.uid: role.name for role in roles.visible(tx, FAMILY)}
    return WorkflowRow(
        uid=one.uid,
        name=one.name,
        description=one.description or "",
        steps=tuple(StepView(step.name, step.approvers, 0, _named(names, step.role_uid)) for step in asked),
        roles=tuple(step.role_uid or "" for step in asked),
        own_steps=bool(one.steps),
        times={word: int(getattr(one, word)) for word in TIMES},
        justification=one.require_justification,
        self_approval=one.allow_self_approval,
        emergencies=one.break_glass,
        enabled=one.enabled,
        default=one.is_default,
        built_in=one.is_system,
        changed=one.updated_at,
    )


def _named(names: Mapping[str, str], uid: str | None) -> str:
    return "" if uid is None else names.get(uid, "a role that is gone")


def _draft(draft: WorkflowDraft) -> workflows.Draft:
    """One step is kept as the workflow's own number and role, several as steps."""
    if not draft.steps:
        raise Invalid("Nobody is asked.", hint="Say how many people agree.", field="steps")
    asked = [
        {"name": name or f"step {number}", "approvers": _whole(people, "steps"), "role": role or None}
        for number, (name, people, role) in enumerate(draft.steps, 1)
    ]
    name, people, role = draft.steps[0]
    only = len(draft.steps) == 1 and not name
    times = {word: seconds(draft.times.get(word, ""), word) for word in TIMES}
    return workflows.Draft(
        description=draft.description or None,
        min_approvers=_whole(people, "min_approvers") if only else 1,
        approver_role_uid=role or None if only else None,
        wrap_ttl_created_seconds=times["wrap_ttl_created_seconds"],
        wrap_ttl_approved_seconds=times["wrap_ttl_approved_seconds"],
        wrap_ttl_claimed_seconds=times["wrap_ttl_claimed_seconds"],
        request_ttl_seconds=times["request_ttl_seconds"],
        require_justification=draft.justification,
        allow_self_approval=draft.self_approval,
        enabled=draft.enabled,
        steps=[] if only else asked,
        grant_seconds=times["grant_seconds"],
        break_glass=draft.emergencies,
    )


def seconds(text: str, field: str) -> int:
    """`2h`, `30 m`, `7d` or plain seconds. Raises `Invalid`."""
    found = DURATION.fullmatch(text.strip() or "0")
    if found is None:
        raise Invalid(f"{text[:40]!r} is not a length of time.", hint="Write 90s, 30m, 2h or 7d.", field=field)
    return int(found[1]) * UNITS[found[2]]


def _whole(text: str, field: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid(f"{text[:40]!r} is not a number.", hint="Write it in digits.", field=field)
    return int(text)
