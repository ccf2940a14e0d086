"""Reading the trail: newest first, by keyset, in looks of bounded size."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from sqlalchemy import RowMapping, func, select

from quarterdeck.kernel.audit import tallies
from quarterdeck.kernel.audit.filter import Filter, asked, same
from quarterdeck.kernel.audit.model import AuditEvent, audit_events, audit_unsealed
from quarterdeck.kernel.audit.reach import reach
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Invalid, NotFound

LOOK = 20_000
"""Events that one unit looks through for those that no index leads to."""
LOOKS = 20
"""Units in which one question is looked for: 400,000 events."""
COUNTED = 20_000
"""Matches that are counted one by one where no tally knows them; a total of so many means at least so many."""
SURVEYED = 4_000
"""Events that a total looks through for what no index leads to."""
PART = 500
"""Events of a stream that are in memory at a time."""


class Page(msgspec.Struct, frozen=True):
    """`next_cursor` leads to older events; None at the end."""

    events: list[AuditEvent]
    next_cursor: str | None


class Look(msgspec.Struct, frozen=True):
    """What was found among events from `rest` up. Older ones have ids below `rest`; None when all were looked at."""

    events: list[AuditEvent]
    rest: int | None


def event(row: RowMapping) -> AuditEvent:
    values: dict[str, Any] = {**row}
    values["detail"] = msgspec.json.decode(row["detail"])
    return AuditEvent(**values)


def look(tx: Tx, wanted: Filter, limit: int, before: int | None = None) -> Look:
    """Up to `limit` matching events with ids below `before`, newest first. Where something is asked that no index leads
    to, at most `LOOK` events are looked through: then fewer may be found, and `rest` says where to go on.
    """
    way = reach(tx, wanted, before)
    if not way.legs:
        return Look([], None)
    floor = way.floor(tx, LOOK) if way.asked else None
    rows = tx.execute(way.newest(audit_events, limit + 1, floor)).mappings().all()
    events = [event(row) for row in rows[:limit]]
    return Look(events, events[-1].id if len(rows) > limit else floor)


async def find(db: Database, wanted: Filter, limit: int, before: int | None = None) -> Look:
    """As `look`, in as many units as it takes to find `limit` events, at most `LOOKS`."""
    found: list[AuditEvent] = []
    for _ in range(LOOKS):
        seen: Look = await db.read(look, wanted, limit - len(found), before)
        found += seen.events
        before = seen.rest
        if before is None or len(found) >= limit:
            break
    return Look(found, before)


async def stream(
    db: Database, wanted: Filter, limit: int | None = None, before: int | None = None
) -> AsyncIterator[list[AuditEvent]]:
    """Every matching event, newest first, in parts: memory does not grow with the trail. Each part is a unit of its
    own, so writers never wait.
    """
    left = limit
    while left is None or left > 0:
        seen: Look = await db.read(look, wanted, PART if left is None else min(PART, left), before)
        if seen.events:
            yield seen.events
            left = None if left is None else left - len(seen.events)
        if seen.rest is None:
            return
        before = seen.rest


def total(tx: Tx, wanted: Filter) -> int:
    """How many events match: by the tallies where they know, else counted, up to `COUNTED`. Where something other than
    the time is asked of each event, only the newest `SURVEYED` of those that an index leads to are counted.
    """
    if wanted.tallied:
        return tallies.total(tx, wanted) + _unsealed(tx, wanted)
    way = reach(tx, wanted, None)
    if not way.legs:
        return 0
    return way.count(tx, COUNTED, None if way.covered else way.floor(tx, SURVEYED))


def _unsealed(tx: Tx, wanted: Filter) -> int:
    waiting = list(tx.execute(select(audit_unsealed.c.event_id).limit(COUNTED)).scalars())
    mine, count = (same(audit_events.c.organization_id, wanted.organization_id), *asked(tx, wanted)), 0
    for start in range(0, len(waiting), PART):
        some = audit_events.c.id.in_(waiting[start : start + PART])
        found = select(func.count()).select_from(audit_events).where(some, *mine)
        count += int(tx.execute(found).scalar_one())
    return count


def page(
    tx: Tx,
    *,
    organization_id: int | None,
    aggregate_id: str | None = None,
    action: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """Events of one organization (None: of no organization), newest first."""
    wanted = Filter(
        organization_id=organization_id, aggregate_id=aggregate_id, actions=None if action is None else (action,)
    )
    seen = look(tx, wanted, limit, None if cursor is None else position(cursor))
    return Page(seen.events, cursor_of(seen.rest))


def show(tx: Tx, ref: str, *, organization_id: int | None, aggregate_id: str | None = None) -> AuditEvent:
    """One event by its `aud_…` or uid."""
    table = audit_events.c
    statement = select(audit_events).where((table.ref == ref) | (table.uid == ref))
    if organization_id is not None:
        statement = statement.where(table.organization_id == organization_id)
    if aggregate_id is not None:
        statement = statement.where(table.aggregate_id == aggregate_id)
    row = tx.execute(statement).mappings().first()
    if row is None:
        raise NotFound(f"There is no audit event {ref[:60]}, or you may not see it.", code="audit_event_not_found")
    return event(row)


def cursor_of(rest: int | None) -> str | None:
    """An id below which a list goes on, as a cursor."""
    return None if rest is None else base64.urlsafe_b64encode(str(rest).encode()).decode().rstrip("=")


def position(cursor: str) -> int:
    """The reverse of `cursor_of`. Raises `Invalid` for what no list gave."""
    try:
        found = int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        found = -1
    if not 0 <= found < 2**63:
        raise Invalid(
            "The cursor is not one that this list gave.", hint="Start again without a cursor.", field="cursor"
        )
    return found
