"""The policies of an organization as they are decided by: compiled once, and used until one of them changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from quarterdeck.broker.policies.model import Policy
from quarterdeck.broker.policies.selectors import EXACT, PREFIX, never_matches
from quarterdeck.broker.workflows import versions
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.db import Tx

REMEMBERED = 64
"""Organizations whose rules are kept compiled."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy that is enabled. `exact` are pairs of key and value; `never`: its selector can match nothing."""

    id: int
    uid: str
    name: str
    project_id: int | None
    priority: int
    selector: Mapping[str, Any]
    exact: tuple[tuple[str, str], ...]
    prefix: str | None
    never: bool
    direct_reveal: bool
    workflow_id: int
    workflow_uid: str
    workflow_name: str
    workflow_enabled: bool


class Compiled:
    """Rules by organization, in the order in which they are asked. One for each database (`tx.part`)."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[str, tuple[Rule, ...]]] = OrderedDict()

    def rules(self, tx: Tx, organization_id: int) -> tuple[Rule, ...]:
        """Those that hold in this unit: the version is asked for each time, so that a change counts at once, whichever
        server made it.
        """
        version = versions.current(tx, organization_id)
        if version is None:
            return ()
        kept = self._kept.get(organization_id)
        if kept is not None and kept[0] == version:
            return kept[1]
        found = _compiled(tx, organization_id)
        self._kept[organization_id] = (version, found)
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        return found


def _compiled(tx: Tx, organization_id: int) -> tuple[Rule, ...]:
    """By priority; of the same one those of a project first, then the oldest."""
    query = (
        select(
            Policy.id, Policy.uid, Policy.name, Policy.project_id, Policy.priority, Policy.selector,
            Policy.direct_reveal, Workflow.id, Workflow.uid, Workflow.name, Workflow.enabled,
        )
        .join(Workflow, Workflow.id == Policy.workflow_id)
        .where(Policy.organization_id == organization_id, Policy.enabled.is_(True))
        .order_by(Policy.priority.desc(), Policy.project_id.is_(None), Policy.created_at, Policy.id)
    )  # fmt: skip
    return tuple(_rule(*row) for row in tx.execute(query))


def _rule(
    number: int, uid: str, name: str, project_id: int | None, priority: int, selector: Mapping[str, Any],
    direct_reveal: bool, workflow_id: int, workflow_uid: str, workflow_name: str, workflow_enabled: bool,
) -> Rule:  # fmt: skip
    return Rule(
        id=number,
        uid=uid,
        name=name,
        project_id=project_id,
        priority=priority,
        selector=selector,
        exact=tuple((key, selector[key]) for key in EXACT if key in selector),
        prefix=selector.get(PREFIX),
        never=never_matches(selector),
        direct_reveal=direct_reveal,
        workflow_id=workflow_id,
        workflow_uid=workflow_uid,
        workflow_name=workflow_name,
        workflow_enabled=workflow_enabled,
    )
