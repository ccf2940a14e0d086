"""The policies of an organization as they are decided by: compiled once, and used until one of them changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from quarterdeck.broker.policies.facts import Facts
from quarterdeck.broker.policies.model import Policy
from quarterdeck.broker.policies.selectors import EXACT, PREFIX, never_matches
from quarterdeck.broker.workflows import versions
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.db import Tx

REMEMBERED = 64
"""Organizations whose rules are kept compiled."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy that is enabled. `exact` is its selector without the prefix; `never`: it can match nothing."""

    id: int
    uid: str
    name: str
    project_id: int | None
    priority: int
    selector: Mapping[str, Any]
    exact: Mapping[str, str]
    prefix: str | None
    never: bool
    direct_reveal: bool
    workflow_id: int
    workflow_uid: str
    workflow_name: str
    workflow_enabled: bool


class Book:
    """The rules of an organization in the order in which they are asked. Which of them fit is found without going
    through them: for each key and value there is a number whose bits are the rules that a request with that value does
    not contradict.
    """

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        live = [(1 << place, rule) for place, rule in enumerate(rules) if not rule.never]
        self._exact = {key: _Index((bit, rule.exact.get(key)) for bit, rule in live) for key in EXACT}
        self._project = _Index((bit, rule.project_id) for bit, rule in live)
        self._prefix = _Index((bit, rule.prefix) for bit, rule in live)
        self._lengths = sorted({len(rule.prefix) for _, rule in live if rule.prefix is not None})

    def fitting(self, facts: Facts) -> Iterator[Rule]:
        """Those that fit, in the order of asking."""
        bits = self._project.open_to(facts.project_id)
        for key, value in facts.words().items():
            bits &= self._exact[key].open_to(value)
        prefixes = (facts.secret_ref[:length] for length in self._lengths if length <= len(facts.secret_ref))
        bits &= self._prefix.open_to(*prefixes)
        while bits:
            lowest = bits & -bits
            yield self.rules[lowest.bit_length() - 1]
            bits ^= lowest


class _Index:
    """Bits of rules by the value that they ask for; those that ask for none are open to all."""

    def __init__(self, asking: Iterable[tuple[int, Hashable]]) -> None:
        self._any = 0
        self._asking: dict[Hashable, int] = {}
        for bit, value in asking:
            if value is None:
                self._any |= bit
            else:
                self._asking[value] = self._asking.get(value, 0) | bit

    def open_to(self, *values: Hashable) -> int:
        bits = self._any
        for value in values:
            bits |= self._asking.get(value, 0)
        return bits


class Compiled:
    """Books by organization. One for each database (`tx.part`). `laid` are organizations whose first rules are known to
    be there for good.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[str, Book]] = OrderedDict()
        self.laid: set[int] = set()

    def book(self, tx: Tx, organization_id: int) -> Book:
        """What holds in this unit: the version is asked for each time, so that a change counts at once, whichever
        server made it.
        """
        version = versions.current(tx, organization_id)
        if version is None:
            return Book(())
        kept = self._kept.get(organization_id)
        if kept is not None and kept[0] == version:
            return kept[1]
        found = Book(_compiled(tx, organization_id))
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
        exact={key: selector[key] for key in EXACT if key in selector},
        prefix=selector.get(PREFIX),
        never=never_matches(selector),
        direct_reveal=direct_reveal,
        workflow_id=workflow_id,
        workflow_uid=workflow_uid,
        workflow_name=workflow_name,
        workflow_enabled=workflow_enabled,
    )
