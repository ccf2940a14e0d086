"""How many sealed events there are of each actor and action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, RowMapping, func, select, text

from quarterdeck.kernel.audit.filter import Filter
from quarterdeck.kernel.audit.model import audit_tallies
from quarterdeck.kernel.db import Tx

_COLUMNS = ("organization_id", "action", "actor_kind", "actor_id", "actor_label")
_ADD = text(
    'INSERT INTO audit_tallies (organization_id, action, actor_kind, actor_id, actor_label, "count") '
    "VALUES (:organization_id, :action, :actor_kind, :actor_id, :actor_label, :number) "
    "ON CONFLICT (organization_id, action, actor_kind, actor_id, actor_label) "
    'DO UPDATE SET "count" = audit_tallies."count" + :number'
)
_EMPTY = text('DELETE FROM audit_tallies WHERE "count" <= 0')
_TALLIES = audit_tallies.c


class Facets(msgspec.Struct, frozen=True):
    """What a list can be narrowed to: labels of actors, and actions, each in order."""

    actors: list[str]
    actions: list[str]


def add(tx: Tx, rows: Iterable[Mapping[str, Any] | RowMapping], sign: int = 1) -> None:
    """Count events in, or out. Only with the lock `audit-seal`, which keeps those that count apart."""
    counted: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        counted[tuple(row[name] or 0 if name == "organization_id" else row[name] for name in _COLUMNS)] += sign
    if counted:
        ordered = sorted(counted.items())
        tx.execute(_ADD, [{**dict(zip(_COLUMNS, key, strict=True)), "number": number} for key, number in ordered])
    if sign < 0:
        tx.execute(_EMPTY)


def total(tx: Tx, wanted: Filter) -> int:
    """How many sealed events match a filter that is `tallied`."""
    where: list[ColumnElement[bool]] = [_TALLIES.organization_id == (wanted.organization_id or 0)]
    if wanted.actions is not None:
        where.append(_TALLIES.action.in_(wanted.actions))
    if wanted.starting is not None:
        where.append(_TALLIES.action.startswith(wanted.starting, autoescape=True))
    if wanted.actor_kind is not None:
        where.append(_TALLIES.actor_kind == wanted.actor_kind)
    if wanted.actor_id is not None:
        where.append(_TALLIES.actor_id == wanted.actor_id)
    if wanted.actor_label is not None:
        where.append(func.lower(_TALLIES.actor_label) == wanted.actor_label.lower())
    return int(tx.execute(select(func.coalesce(func.sum(_TALLIES["count"]), 0)).where(*where)).scalar_one())


def facets(tx: Tx, organization_id: int | None) -> Facets:
    """Who did something in an organization, and what was done."""
    mine = _TALLIES.organization_id == (organization_id or 0)
    actors = tx.execute(select(_TALLIES.actor_label).where(mine).distinct()).scalars()
    actions = tx.execute(select(_TALLIES.action).where(mine).distinct()).scalars()
    return Facets(sorted(actors), sorted(actions))
