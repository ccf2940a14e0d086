"""The way through an index to the events that are meant, so that the size of the trail does not matter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, get_args

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, literal_column, select, text, union_all

from quarterdeck.kernel.audit.filter import Filter, asked, same
from quarterdeck.kernel.audit.model import EXCEPTIONAL, audit_events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import PrincipalKind

SKEW = timedelta(hours=2)
"""By how much the order of ids and the order of times may differ: a unit's time is its start, and clocks are set. What
a clock that was further off has written is found under other filters, not by time.
"""
MOST_LEGS = 60
"""Walks that are merged into one; what would need more is asked of each event instead."""
KINDS = get_args(PrincipalKind)
_EVENTS = audit_events.c
Conditions = tuple[ColumnElement[bool], ...]
# One step in the index for each action that there is: the number of events does not matter.
_ACTIONS = (
    "WITH RECURSIVE known(action) AS (SELECT (SELECT MIN(action) FROM audit_events WHERE {mine}) UNION ALL "
    "SELECT (SELECT MIN(action) FROM audit_events WHERE {mine} AND action > known.action) FROM known "
    "WHERE known.action IS NOT NULL) SELECT action FROM known WHERE action IS NOT NULL"
)
_EXCEPTIONAL: ColumnElement[bool] = literal_column(EXCEPTIONAL)
_ACTIONS_OF_ONE = text(_ACTIONS.format(mine="organization_id = :organization"))
_ACTIONS_OF_NONE = text(_ACTIONS.format(mine="organization_id IS NULL"))


class Reach(msgspec.Struct, frozen=True):
    """Walks that indexes lead through, newest first, no event on two of them, each down to the id `last`; and what has
    to be asked of each event. Without any walk nothing matches. `covered`: the index answers what is asked.
    """

    legs: tuple[Conditions, ...]
    asked: Conditions
    last: int | None
    covered: bool

    def newest(self, columns: Any, limit: int, floor: int | None = None) -> Select[Any]:
        """The newest matching events, from the id `floor` up."""
        further = (*self.asked, *self._down_to(floor))
        if len(self.legs) == 1:
            return _newest(select(columns), (*self.legs[0], *further)).limit(limit)
        parts = (_newest(select(_EVENTS.id), (*leg, *further)).limit(limit).subquery() for leg in self.legs)
        some = union_all(*(select(part.c.id) for part in parts)).subquery()
        return _newest(select(columns), (_EVENTS.id.in_(select(some.c.id)),)).limit(limit)

    def floor(self, tx: Tx, most: int) -> int | None:
        """The id from which up there are at most so many events on all walks; None when there are no more below."""
        share = max(1, most // len(self.legs))
        walks = (_newest(select(_EVENTS.id), (*leg, *self._down_to(None))) for leg in self.legs)
        ends = (tx.execute(walk.limit(1).offset(share - 1)).scalar() for walk in walks)
        return max((end for end in ends if end is not None), default=None)

    def count(self, tx: Tx, most: int, floor: int | None = None) -> int:
        """How many match from the id `floor` up, at most `most`."""
        further = (*self.asked, *self._down_to(floor))
        counted = 0
        for leg in self.legs:
            some = _newest(select(_EVENTS.id), (*leg, *further)).limit(most - counted).subquery()
            counted += int(tx.execute(select(func.count()).select_from(some)).scalar_one())
            if counted >= most:
                break
        return counted

    def _down_to(self, floor: int | None) -> Conditions:
        """One bound alone: a database begins at the first that it is given, and walks on to the other."""
        lowest = self.last if floor is None else floor
        return () if lowest is None else (_EVENTS.id >= lowest,)


def _newest(query: Select[Any], where: Conditions) -> Select[Any]:
    return query.where(and_(*where)).order_by(_EVENTS.id.desc())


def reach(tx: Tx, wanted: Filter, before: int | None) -> Reach:
    """How to come to the events below the id `before`: through the narrowest index, within the ids of the times."""
    last, beyond = _ids(tx, wanted)
    ends = [end for end in (before, beyond) if end is not None]
    below: Conditions = (_EVENTS.id < min(ends),) if ends else ()
    legs, known = _way(tx, wanted)
    left = asked(tx, wanted, known)
    spanned = (wanted.since is not None) + (wanted.until is not None)
    return Reach(
        tuple((*leg, *below) for leg in legs), left, last, covered=not left or (not known and len(left) == spanned)
    )


def _way(tx: Tx, wanted: Filter) -> tuple[Iterable[Conditions], frozenset[str]]:
    """The walks of the narrowest index, and the fields of the filter that are answered by it."""
    mine = _organization(wanted)
    if wanted.correlation_ids:
        return [(_EVENTS.correlation_id == one, *_plainly(wanted)) for one in {*wanted.correlation_ids}], frozenset(
            {"correlation_ids"}
        )
    if wanted.aggregate_id is not None:
        return [(_EVENTS.aggregate_id == wanted.aggregate_id, *_plainly(wanted))], frozenset({"aggregate_id"})
    if wanted.resource_id is not None:
        return [(mine, _EVENTS.resource_id == wanted.resource_id)], frozenset({"resource_id"})
    if wanted.outcome in {"failure", "denied"}:
        return [(mine, _EXCEPTIONAL, _EVENTS.outcome == wanted.outcome)], frozenset({"outcome"})
    if (found := _by_person(tx, wanted, mine)) is not None:
        return found
    if wanted.actor_label is not None:
        return [(mine, func.lower(_EVENTS.actor_label) == func.lower(wanted.actor_label))], frozenset({"actor_label"})
    if (actions := _actions(tx, wanted)) is not None and len(actions) <= MOST_LEGS:
        return [(mine, _EVENTS.action == action) for action in actions], frozenset({"actions", "starting"})
    if wanted.resource_type is not None:
        return [(mine, _EVENTS.resource_type == wanted.resource_type)], frozenset({"resource_type"})
    return [(mine,)], frozenset()


def _by_person(tx: Tx, wanted: Filter, mine: ColumnElement[bool]) -> tuple[list[Conditions], frozenset[str]] | None:
    kinds, one = KINDS if wanted.actor_kind is None else (wanted.actor_kind,), wanted.actor_id
    if one is None and wanted.actor_kind == "system":
        one = 0
    if one is None:
        return None
    people = [(mine, _EVENTS.actor_kind == kind, _EVENTS.actor_id == one) for kind in kinds]
    actions = _actions(tx, wanted)
    if actions is None or len(actions) * len(people) > MOST_LEGS:
        return [*people], frozenset({"actor_kind", "actor_id"})
    acts = [(*person, _EVENTS.action == action) for person in people for action in actions]
    return [*acts], frozenset({"actor_kind", "actor_id", "actions", "starting"})


def _actions(tx: Tx, wanted: Filter) -> tuple[str, ...] | None:
    """The actions that are meant; None where any is. Of many only those that there are."""
    if wanted.starting is None and (wanted.actions is None or len(wanted.actions) == 1):
        return wanted.actions
    if wanted.organization_id is None:
        known = tx.execute(_ACTIONS_OF_NONE).scalars()
    else:
        known = tx.execute(_ACTIONS_OF_ONE, {"organization": wanted.organization_id}).scalars()
    return tuple(
        action
        for action in known
        if action.startswith(wanted.starting or "") and (wanted.actions is None or action in wanted.actions)
    )


def _organization(wanted: Filter) -> ColumnElement[bool]:
    if wanted.organization_id is None:
        return _EVENTS.organization_id.is_(None)
    return _EVENTS.organization_id == wanted.organization_id


def _plainly(wanted: Filter) -> Conditions:
    """The organization, where the index that is meant does not begin with it."""
    return (same(_EVENTS.organization_id, wanted.organization_id),)


def _ids(tx: Tx, wanted: Filter) -> tuple[int | None, int | None]:
    """Ids that hold every event of the times asked for: the first, and the one after the last."""
    first = beyond = None
    if wanted.until is not None:
        later = select(_EVENTS.id).where(_EVENTS.at >= _shifted(wanted.until, SKEW)).order_by(_EVENTS.at, _EVENTS.id)
        beyond = tx.execute(later.limit(1)).scalar()
    if wanted.since is not None:
        sooner = select(_EVENTS.id).where(_EVENTS.at < _shifted(wanted.since, -SKEW))
        before = tx.execute(sooner.order_by(_EVENTS.at.desc(), _EVENTS.id.desc()).limit(1)).scalar()
        first = None if before is None else before + 1
    return first, beyond


def _shifted(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment
