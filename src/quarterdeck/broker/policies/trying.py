"""What would happen to a request: every rule that is looked at, and why it is taken or not. Nothing is made or kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from quarterdeck.broker.policies.compiling import Compiled, Rule
from quarterdeck.broker.policies.facts import Facts, facts
from quarterdeck.broker.policies.resolving import explained
from quarterdeck.broker.policies.selectors import PREFIX
from quarterdeck.broker.tenancy import environments, projects
from quarterdeck.broker.workflows import workflows
from quarterdeck.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class Looked:
    """A rule that was looked at; `outcome` is `taken`, `not-matched` or `workflow-disabled`."""

    rule: Rule
    outcome: Literal["taken", "not-matched", "workflow-disabled"]
    reason: str


@dataclass(frozen=True, slots=True)
class Trial:
    """`looked` is in the order of looking, up to the rule that is taken."""

    workflow_uid: str
    workflow_name: str
    taken: Rule | None
    production: bool
    direct_reveal: bool
    direct_reveal_refused: bool
    explanation: dict[str, Any]
    looked: tuple[Looked, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A request that nobody makes; `operation` is one of `selectors.OPERATIONS`."""

    project_uid: str | None
    environment: str | None
    provider_type: str
    secret_ref: str
    operation: str


def answer(tx: Tx, asked: Question) -> Trial:
    """`dry_run` of what is named. Raises `Invalid` (`project_unknown`, `environment_unknown`)."""
    project = projects.named(tx, asked.project_uid, "project_id") if asked.project_uid else None
    environment = environments.named(tx, project, asked.environment) if asked.environment else None
    wanted = (asked.provider_type, asked.secret_ref, asked.operation)
    return dry_run(tx, facts(tx.principal.acts_in, project, environment, *wanted))


def dry_run(tx: Tx, asked: Facts) -> Trial:
    """Decides as `resolving.resolve`. The organization's rules have been laid down (`seeding.reading`)."""
    book = tx.part(Compiled).book(tx, asked.organization_id)
    fitting = {rule.id for rule in book.fitting(asked)}
    looked: list[Looked] = []
    taken: Rule | None = None
    for rule in book.rules:
        if rule.id not in fitting:
            looked.append(Looked(rule, "not-matched", _misfit(rule, asked)))
        elif not rule.workflow_enabled:
            looked.append(Looked(rule, "workflow-disabled", f"Its workflow {rule.workflow_name} is disabled."))
        else:
            looked.append(Looked(rule, "taken", "Every key of its selector fits."))
            taken = rule
            break
    if taken is not None:
        uid, name = taken.workflow_uid, taken.workflow_name
    else:
        workflow = workflows.default(tx, asked.organization_id)
        uid, name = workflow.uid, workflow.name
    passed = [one.rule for one in looked if one.outcome == "workflow-disabled"]
    direct = taken is not None and taken.direct_reveal
    return Trial(
        workflow_uid=uid,
        workflow_name=name,
        taken=taken,
        production=asked.production,
        direct_reveal=direct and not asked.production,
        direct_reveal_refused=direct and asked.production,
        explanation=explained(asked, uid, name, taken, passed),
        looked=tuple(looked),
    )


def _misfit(rule: Rule, asked: Facts) -> str:
    """Why a rule does not match, by the first thing that does not fit."""
    if rule.never:
        return "Its selector has a key that nobody knows, or an empty value: it never matches."
    if rule.project_id is not None and rule.project_id != asked.project_id:
        return "It is a rule of another project."
    words = asked.words()
    for key, value in rule.exact.items():
        if words[key] is None:
            return f"It asks for {key} {value}; the request names none."
        if words[key] != value:
            return f"It asks for {key} {value}; here it is {words[key]}."
    return f"It asks for a {PREFIX} of {rule.prefix}; the reference begins otherwise."
