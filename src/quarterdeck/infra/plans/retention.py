"""How long saved plans lie: longer than they may be applied, so that it can be looked at what was. Files of which no
plan knows any more go with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from quarterdeck.infra.artefacts.artefacts import Artefacts
from quarterdeck.infra.plans.model import Plan
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, register

KEEP = timedelta(days=14)
YOUNG = timedelta(hours=1)
"""A file is there a moment before its plan knows of it."""
CHUNK = 200


def old(tx: Tx, before: datetime) -> list[tuple[int, str]]:
    """Row and key of plans older than `before` whose saved plan still lies somewhere."""
    query = select(Plan.id, Plan.artefact_key).where(Plan.artefact_key.is_not(None), Plan.created_at < before)
    return [(row.id, row.artefact_key) for row in tx.execute(query.order_by(Plan.id).limit(CHUNK))]


def lies_no_more(tx: Tx, plan_id: int, key: str) -> None:
    tx.execute(update(Plan).where(Plan.id == plan_id, Plan.artefact_key == key).values(artefact_key=None))


def unknown(tx: Tx, keys: Sequence[str]) -> list[str]:
    """Those of the keys that no plan knows: their job is gone, or its upload was cut off."""
    known = set(tx.execute(select(Plan.artefact_key).where(Plan.artefact_key.in_(keys))).scalars())
    return [key for key in keys if key not in known]


async def _prune(instance: Any, before: datetime) -> int:
    artefacts: Artefacts = instance.artefacts
    count = 0
    while some := await instance.db.read(old, before):
        for plan_id, key in some:
            await artefacts.delete(key)
            await instance.db.write(lies_no_more, plan_id, key)
            count += 1
    return count + await _sweep(instance, artefacts)


async def _sweep(instance: Any, artefacts: Artefacts) -> int:
    count = 0
    lying = await asyncio.to_thread(artefacts.lying, instance.db.clock.now() - YOUNG)
    for start in range(0, len(lying), CHUNK):
        for key in await instance.db.read(unknown, lying[start : start + CHUNK]):
            await artefacts.delete(key)
            count += 1
    return count


register(Category("infra-artefacts", "Saved plans, and files of plans that are gone", KEEP, _prune))
