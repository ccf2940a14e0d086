"""Carrying out what is said about how long things stay before housekeeping comes to it by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention.categories import Category, categories
from quarterdeck.kernel.retention.jobs import order, sweeps_of


class RunAction(audit.Action):
    STARTED = "retention-run.started"


@dataclass(frozen=True, slots=True)
class Due:
    """How much goes at the next run, and how much more would by defaults that only look."""

    removes: int
    only_counts: int


def governed(names: Sequence[str] | None = None) -> list[Category]:
    """The categories that defaults can be set for and something carries out, or those of them that are named."""
    known = [one for one in categories() if one.governed is not None and one.sweep is not None]
    return [one for one in known if names is None or one.governed in names]


async def due(instance: Any, category: Category, organization_id: int | None) -> Due:
    """What a run would do with a category, of one organization or of all. Changes nothing."""
    removes = only_counts = 0
    for sweep in await sweeps_of(instance, category, organization_id):
        assert category.sweep is not None  # noqa: S101 - asked before
        count = await category.sweep(instance, replace(sweep, dry_run=True))
        removes, only_counts = (removes, only_counts + count) if sweep.dry_run else (removes + count, only_counts)
    return Due(removes, only_counts)


def start(tx: Tx, wanted: Sequence[Category], organization_id: int | None) -> list[tuple[Category, jobs.Job]]:
    """Have each of the categories tidied now, by jobs as the schedules make them."""
    started = jobs.enqueue_many(tx, [order(one, organization_id) for one in wanted])
    scope = "system" if organization_id is None else "organization"
    audit.record(
        tx,
        RunAction.STARTED,
        resource_type="retention-run",
        resource_id="*",
        detail={"scope": scope, "categories": [one.governed for one in wanted]},
    )
    return list(zip(wanted, started, strict=True))
