"""Pruning of domain events on a person's word."""

from __future__ import annotations

from typing import Any

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.events import Old, Pruning

STEP = 2_000
"""Events of one unit: the writer has others waiting."""


class HistoryAction(audit.Action):
    EVENTS_PRUNED = "domain-event.pruned"


async def prune_events(db: Database, wanted: Old, limit: int | None, *, dry_run: bool) -> Pruning:
    """Remove events of one organization, the oldest first, at most `limit` looked at; or only say what would go."""
    if dry_run:
        found: Pruning = await db.read(events.prune, wanted, limit=limit)
        return found
    matched = guarded = 0
    by_type: dict[str, int] = {}
    place, left = (-1, -1), limit
    while left is None or left > 0:
        step = STEP if left is None else min(STEP, left)
        done: Pruning = await db.write(_step, wanted, step, place)
        matched, guarded = matched + done.matched, guarded + done.guarded
        for type_, count in done.by_type.items():
            by_type[type_] = by_type.get(type_, 0) + count
        if done.rest is None:
            break
        place, left = done.rest, None if left is None else left - step
    return Pruning(matched, sum(by_type.values()), guarded, None, by_type)


def _step(tx: Tx, wanted: Old, limit: int, after: tuple[int, int]) -> Pruning:
    done = events.prune(tx, wanted, dry_run=False, limit=limit, after=after)
    if done.pruned:
        names = {"type": wanted.type, "kind": wanted.kind, "subject": wanted.subject}
        detail: dict[str, Any] = {"before": wanted.before, **names, "count": done.pruned}
        audit.record(
            tx,
            HistoryAction.EVENTS_PRUNED,
            resource_type="domain-event",
            resource_id=wanted.subject or "*",
            organization_id=wanted.organization_id,
            detail=detail,
        )
        events.append(
            tx,
            f"history:{wanted.organization_id or 0}",
            "domain-events-pruned",
            {"count": done.pruned},
            organization_id=wanted.organization_id,
        )
    return done
