"""Which events are meant, and how the database is asked for them so that the size of the trail does not matter."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from quarterdeck.kernel.audit.model import Outcome, audit_events
from quarterdeck.kernel.db import Tx

SKEW = timedelta(days=1)
"""By how much the order of ids and the order of times may differ: a unit's time is its start, and clocks are set."""
_EVENTS = audit_events.c


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one organization (None: of no organization); empty fields leave the choice open.

    `actions` are whole words. `since` is included, `until` is not. `text` is looked for without case in action,
    resource, aggregate and detail. `correlation_ids` are spellings of one id.
    """

    organization_id: int | None
    aggregate_id: str | None = None
    actions: tuple[str, ...] | None = None
    starting: str | None = None
    actor_kind: str | None = None
    actor_id: int | None = None
    actor_label: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    correlation_ids: tuple[str, ...] = ()
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None

    @property
    def tallied(self) -> bool:
        """Whether tallies know how many events match."""
        by_fact = (
            self.aggregate_id, self.resource_type, self.resource_id, self.outcome, self.since, self.until, self.text,
        )  # fmt: skip
        return not self.correlation_ids and all(one is None for one in by_fact)


class Reach(msgspec.Struct, frozen=True):
    """The walk that an index leads through, and what has to be asked of each event on it."""

    walked: tuple[ColumnElement[bool], ...]
    asked: tuple[ColumnElement[bool], ...]


def reach(tx: Tx, wanted: Filter, before: int | None) -> Reach:
    """How to come to the events below the id `before`: through the narrowest index, within the ids of the times."""
    walked: list[ColumnElement[bool]] = []
    asked: list[ColumnElement[bool]] = []
    ways = _ways(wanted)
    if ways:
        walked.append(ways[0])
        asked += ways[1:]
    organization = (
        _EVENTS.organization_id.is_(None)
        if wanted.organization_id is None
        else _EVENTS.organization_id == wanted.organization_id
    )
    walked.append(organization)
    if before is not None:
        walked.append(_EVENTS.id < before)
    walked += _ids(tx, wanted)
    return Reach(tuple(walked), (*asked, *_facts(wanted)))


def _ways(wanted: Filter) -> list[ColumnElement[bool]]:
    """Conditions that have an index of their own, the narrowest first."""
    ways: list[ColumnElement[bool]] = []
    if len(wanted.correlation_ids) == 1:
        ways.append(_EVENTS.correlation_id == wanted.correlation_ids[0])
    elif wanted.correlation_ids:
        ways.append(_EVENTS.correlation_id.in_(wanted.correlation_ids))
    if wanted.aggregate_id is not None:
        ways.append(_EVENTS.aggregate_id == wanted.aggregate_id)
    if wanted.actor_id is not None:
        ways.append(_EVENTS.actor_id == wanted.actor_id)
    if wanted.actions is not None and len(wanted.actions) == 1:
        ways.append(_EVENTS.action == wanted.actions[0])
    return ways


def _facts(wanted: Filter) -> list[ColumnElement[bool]]:
    facts: list[ColumnElement[bool]] = []
    if wanted.actions is not None and len(wanted.actions) != 1:
        facts.append(_EVENTS.action.in_(wanted.actions))
    if wanted.starting is not None:
        facts.append(_EVENTS.action.startswith(wanted.starting, autoescape=True))
    if wanted.actor_kind is not None:
        facts.append(_EVENTS.actor_kind == wanted.actor_kind)
    if wanted.actor_label is not None:
        facts.append(func.lower(_EVENTS.actor_label) == wanted.actor_label.lower())
    for column, value in (
        (_EVENTS.resource_type, wanted.resource_type),
        (_EVENTS.resource_id, wanted.resource_id),
        (_EVENTS.outcome, wanted.outcome),
    ):
        if value is not None:
            facts.append(column == value)
    if wanted.since is not None:
        facts.append(_EVENTS.at >= wanted.since)
    if wanted.until is not None:
        facts.append(_EVENTS.at < wanted.until)
    if wanted.text:
        facts.append(_said(wanted.text))
    return facts


def _said(words: str) -> ColumnElement[bool]:
    columns = (_EVENTS.action, _EVENTS.resource_id, _EVENTS.resource_type, _EVENTS.aggregate_id, _EVENTS.detail)
    return or_(*(func.lower(column).contains(words.lower(), autoescape=True) for column in columns))


def _ids(tx: Tx, wanted: Filter) -> list[ColumnElement[bool]]:
    """Bounds of ids that hold every event of the times asked for."""
    found: list[ColumnElement[bool]] = []
    if wanted.until is not None:
        later = select(_EVENTS.id).where(_EVENTS.at >= _shifted(wanted.until, SKEW)).order_by(_EVENTS.at, _EVENTS.id)
        first = tx.execute(later.limit(1)).scalar()
        if first is not None:
            found.append(_EVENTS.id < first)
    if wanted.since is not None:
        sooner = select(_EVENTS.id).where(_EVENTS.at < _shifted(wanted.since, -SKEW))
        last = tx.execute(sooner.order_by(_EVENTS.at.desc(), _EVENTS.id.desc()).limit(1)).scalar()
        if last is not None:
            found.append(_EVENTS.id > last)
    return found


def _shifted(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment


def newest(columns: Any, where: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    return select(columns).where(and_(*where)).order_by(_EVENTS.id.desc())
