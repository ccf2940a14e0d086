"""Which workflow a request takes, and which rule says so. There is no deny: the outcome is always a workflow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select

from quarterdeck.broker.policies.compiling import Compiled, Rule
from quarterdeck.broker.policies.facts import Facts
from quarterdeck.broker.policies.model import Policy
from quarterdeck.broker.workflows import seeding, versions, workflows
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.db import Tx

SAID = 20
"""Rules that were passed over, which an explanation names at most."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """`policy` is None where the default workflow is taken for want of a rule. `direct_reveal`: the rule lets one read
    without approval, which it never does in production; there, `direct_reveal_refused` says that it would have.
    `explanation` is kept with the request.
    """

    workflow: Workflow
    policy: Policy | None
    direct_reveal: bool
    direct_reveal_refused: bool
    explanation: dict[str, Any]


def resolve(tx: Tx, facts: Facts) -> Resolution:
    """Workflows and policies stay as they are until the unit ends, so that a request can be made by the answer."""
    compiled = tx.part(Compiled)
    if facts.organization_id not in compiled.laid:
        # Before the lock is shared, which a unit that lays them down takes alone.
        seeding.lay(tx, facts.organization_id)
        tx.after_commit(partial(compiled.laid.add, facts.organization_id))
    versions.relied_on(tx, facts.organization_id)
    taken: Rule | None = None
    passed: list[Rule] = []
    for rule in compiled.book(tx, facts.organization_id).fitting(facts):
        if rule.workflow_enabled:
            taken = rule
            break
        passed.append(rule)
    if taken is None:
        workflow = workflows.default(tx, facts.organization_id)
        return Resolution(workflow, None, False, False, explained(facts, workflow.uid, workflow.name, None, passed))
    both = select(Policy, Workflow).join(Workflow, Workflow.id == Policy.workflow_id).where(Policy.id == taken.id)
    policy, workflow = tx.session.execute(both).one()
    return Resolution(
        workflow=workflow,
        policy=policy,
        direct_reveal=taken.direct_reveal and not facts.production,
        direct_reveal_refused=taken.direct_reveal and facts.production,
        explanation=explained(facts, workflow.uid, workflow.name, taken, passed),
    )


def explained(
    facts: Facts, workflow_uid: str, workflow_name: str, taken: Rule | None, passed: list[Rule]
) -> dict[str, Any]:
    """Why the workflow, in facts and in a sentence."""
    if taken is None:
        said = f"No rule matches, so the default workflow {workflow_name} is taken."
    else:
        whose = "of the project" if taken.project_id is not None else "of the organization"
        said = f"The rule {taken.name} {whose}, priority {taken.priority}, sends it to the workflow {workflow_name}."
    if passed:
        said += f" {len(passed)} that matched before it {'has' if len(passed) == 1 else 'have'} a disabled workflow."
    told: dict[str, Any] = {
        "workflow_id": workflow_uid,
        "workflow_name": workflow_name,
        "production": facts.production,
        "sentence": said,
    }
    if taken is not None:
        told |= {
            "policy_id": taken.uid,
            "policy_name": taken.name,
            "priority": taken.priority,
            "scope": "project" if taken.project_id is not None else "platform",
            "selector": dict(taken.selector),
        }
    if passed:
        told["passed_over"] = [
            {"policy_id": one.uid, "policy_name": one.name, "reason": f"its workflow {one.workflow_name} is disabled"}
            for one in passed[:SAID]
        ]
    return told
