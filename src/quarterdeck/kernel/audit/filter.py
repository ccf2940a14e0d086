"""Which events are meant, and what is asked of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, String, func, or_

from quarterdeck.kernel.audit.model import Outcome, audit_events
from quarterdeck.kernel.db import Tx

_EVENTS = audit_events.c
_NOTHING: frozenset[str] = frozenset()


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


def same(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    """Equality that leads the planner to no index of the column: another one is meant."""
    if value is None:
        return column.is_(None)
    plain: ColumnElement[Any] = column.op("||")("") if isinstance(column.type, String) else column + 0
    compared: ColumnElement[bool] = plain == value
    return compared


def asked(tx: Tx, wanted: Filter, known: frozenset[str] = _NOTHING) -> tuple[ColumnElement[bool], ...]:
    """What is asked of each event: all fields of the filter but those that are `known` to match."""
    found: list[ColumnElement[bool]] = []
    for name in ("aggregate_id", "actor_kind", "actor_id", "resource_type", "resource_id", "outcome"):
        value = getattr(wanted, name)
        if value is not None and name not in known:
            found.append(same(_EVENTS[name], value))
    if wanted.correlation_ids and "correlation_ids" not in known:
        found.append(_EVENTS.correlation_id.in_(wanted.correlation_ids))
    if wanted.actions is not None and "actions" not in known:
        found.append(_EVENTS.action.op("||")("").in_(wanted.actions))
    if wanted.starting is not None and "starting" not in known:
        found.append(_EVENTS.action.startswith(wanted.starting, autoescape=True))
    if wanted.actor_label is not None and "actor_label" not in known:
        found.append(func.lower(_EVENTS.actor_label).op("||")("") == func.lower(wanted.actor_label))
    if wanted.since is not None:
        found.append(_EVENTS.at >= wanted.since)
    if wanted.until is not None:
        found.append(_EVENTS.at < wanted.until)
    if wanted.text:
        found.append(_said(tx, wanted.text))
    return tuple(found)


def _said(tx: Tx, words: str) -> ColumnElement[bool]:
    columns = (_EVENTS.action, _EVENTS.resource_id, _EVENTS.resource_type, _EVENTS.aggregate_id, _EVENTS.detail)
    plain = words.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    # SQLite's LIKE takes no notice of case by itself.
    like = "like" if tx.dialect == "sqlite" else "ilike"
    return or_(*(getattr(column, like)(f"%{plain}%", escape="!") for column in columns))
