"""Which workers there are, and what an administrator decides about one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import ColumnElement, Text, cast, func, or_, select

from quarterdeck.fleet.workers.actions import WorkerAction, note, tell
from quarterdeck.fleet.workers.description import MOST_SLOTS
from quarterdeck.fleet.workers.draining import require_in_service
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.fleet.workers.standing import Status
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.text import one_line


def all_of(tx: Tx, organization_id: int) -> list[Worker]:
    """Every worker that was enrolled, the decommissioned ones too, oldest first."""
    return list(tx.scalars(select(Worker).where(Worker.organization_id == organization_id).order_by(Worker.id)))


def page(
    tx: Tx,
    organization_id: int,
    *,
    capability: str | None = None,
    statuses: Collection[Status] = (),
    decommissioned: bool = False,
    heartbeat_timeout: float,
    before: int | None = None,
    skip: int = 0,
    limit: int,
) -> tuple[list[Worker], int]:
    """Workers newest first, and how many there are in all that are meant: with these statuses, or with any; those that
    were decommissioned only with `decommissioned` or by their status; only those that may have a `capability`, if one
    is named. `before` is an id, `skip` a number of rows.
    """
    meant: list[ColumnElement[bool]] = [Worker.organization_id == organization_id]
    if capability is not None:
        meant.append(has(capability))
    if statuses:
        meant.append(or_(*(_is(tx, one, heartbeat_timeout) for one in statuses)))
    elif not decommissioned:
        meant.append(Worker.revoked_at.is_(None))
    total = tx.execute(select(func.count()).select_from(Worker).where(*meant)).scalar_one()
    query = select(Worker).where(*meant).order_by(Worker.id.desc()).limit(limit).offset(skip)
    if before is not None:
        query = query.where(Worker.id < before)
    return list(tx.scalars(query)), int(total)


def has(capability: str) -> ColumnElement[bool]:
    """That a worker was enrolled for a capability; both databases write a list of words the same way."""
    return cast(Worker.capabilities, Text).contains(f'"{capability}"', autoescape=True)


def _is(tx: Tx, status: Status, heartbeat_timeout: float) -> ColumnElement[bool]:
    """`standing.status` as a condition."""
    held, since = Worker.revoked_at.is_(None), tx.now - timedelta(seconds=heartbeat_timeout)
    fresh = Worker.left_at.is_(None) & (Worker.last_seen_at >= since)
    match status:
        case "decommissioned":
            return Worker.revoked_at.is_not(None)
        case "offline":
            return held & (Worker.last_seen_at.is_(None) | ~fresh)
        case "draining":
            return held & fresh & Worker.drain_requested_at.is_not(None)
        case "online":
            return held & fresh & Worker.drain_requested_at.is_(None)


def find(tx: Tx, organization_id: int, uid: str) -> Worker:
    """Raises `NotFound` (`worker_not_found`)."""
    worker = tx.first(select(Worker).where(Worker.organization_id == organization_id, Worker.uid == uid.lower()))
    if worker is None:
        raise NotFound("There is no such worker.", code="worker_not_found", hint="See the list of them.")
    return worker


def locked(tx: Tx, organization_id: int, uid: str) -> Worker:
    """As `find`, read again once nobody else changes it."""
    worker = find(tx, organization_id, uid)
    tx.lock(f"worker:{worker.uid}")
    tx.session.refresh(worker)
    return worker


def change(tx: Tx, worker: Worker, *, name: str | None = None, max_slots: int | None = None) -> Worker:
    """Call it something else, or bound what it is given at a time (0 to 64). Raises `Invalid` and `Conflict`
    (`worker_decommissioned`).
    """
    require_in_service(worker)
    changed: dict[str, object] = {}
    if name is not None and (name := one_line(name, "name", 200)) != worker.name:
        changed["name"] = worker.name = name
    if max_slots is not None and max_slots != worker.max_slots:
        if not 0 <= max_slots <= MOST_SLOTS:
            raise Invalid(f"maxSlots is from 0 to {MOST_SLOTS}.", hint="Give a number within.", field="maxSlots")
        changed["maxSlots"] = worker.max_slots = max_slots
    if changed:
        tell(tx, worker, "worker-changed", **changed)
        note(tx, worker, WorkerAction.CHANGED, **changed)
    return worker
