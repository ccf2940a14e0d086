"""How many versions of a state stay, and how long the state of what is gone.

What counts always stays. A plan fits the version that counts alone, and may be applied for a week, so that no version
that a plan could need is old enough to go.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners.model import Runner
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import states
from quarterdeck.infra.states.model import State, StateVersion
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, lasting, register

KEEP = timedelta(days=180)
NEWEST = 50
"""Versions of each state that stay however old they are."""
OF_GONE = timedelta(days=730)
CHUNK = 50
SPEC, RUNNER = states.OF_SPEC, states.OF_RUNNER


def old(tx: Tx, before: datetime, limit: int = CHUNK) -> list[int]:
    """Row ids of versions older than `before` that are none of the newest of their state."""
    place = func.row_number().over(partition_by=StateVersion.state_id, order_by=StateVersion.number.desc())
    ranked = select(StateVersion.id, StateVersion.created_at, place.label("place")).subquery()
    query = select(ranked.c.id).where(ranked.c.place > NEWEST, ranked.c.created_at < before)
    return list(tx.execute(query.order_by(ranked.c.id).limit(limit)).scalars())


def forget(tx: Tx, before: datetime) -> int:
    """Remove some of them; answers how many that was. Few at a time: each may have megabytes."""
    tx.take_time()
    ids = old(tx, before)
    if ids:
        tx.execute(delete(StateVersion).where(StateVersion.id.in_(ids)))
    return len(ids)


def gone(tx: Tx, before: datetime) -> int:
    """Remove a state whose specification was deleted, or whose runner was removed, which nobody has written since;
    answers whether there was one.
    """
    spec = select(Spec.id).where(State.subject == SPEC + Spec.uid)
    runner = (
        select(Runner.id)
        .join(Worker, Worker.id == Runner.worker_id)
        .where(State.subject == RUNNER + Worker.uid, Worker.revoked_at.is_(None))
    )
    orphaned = or_(
        and_(State.subject.startswith(SPEC), ~spec.exists()),
        and_(State.subject.startswith(RUNNER), ~runner.exists()),
    )
    found = tx.first(select(State).where(State.updated_at < before, orphaned).order_by(State.id).limit(1))
    if found is None:
        return 0
    states.forget(tx, found.subject)
    return 1


async def _prune(instance: Any, before: datetime) -> int:
    count = 0
    while some := await instance.db.write(forget, before):
        count += some
    return count


async def _forget(instance: Any, before: datetime) -> int:
    count = 0
    while await instance.db.write(gone, before):
        count += 1
    return count


def _there(tx: Tx, streams: Sequence[str]) -> list[str]:
    uids = [one.removeprefix(states.STREAM) for one in streams]
    found = tx.execute(select(State.uid).where(State.uid.in_(uids))).scalars()
    return [f"{states.STREAM}{uid}" for uid in found]


lasting(states.STREAM, _there)
register(Category("infra-state-versions", f"Versions of Terraform states beyond the newest {NEWEST}", KEEP, _prune))
register(
    Category(
        "infra-states",
        "Terraform states of specifications that were deleted and of runners that were removed",
        OF_GONE,
        _forget,
    )
)
