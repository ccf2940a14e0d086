"""Machines: the workers of an organization that take tasks."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from quarterdeck.access import Access, Place
from quarterdeck.fleet.workers import draining, roster, standing
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.fleet.workers.standing import Status
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, NotFound
from quarterdeck.tasks import settings
from quarterdeck.tasks.settings.thresholds import thresholds

CAPABILITY = "tasks"


def may_see(tx: Tx, access: Access) -> bool:
    """Whether the caller sees machines: somebody below a lead does where the settings say so."""
    access.load(tx)
    here = Place(tx.principal.acts_in)
    if not access.decide(tx.principal, "tasks:machines.view", here).allowed:
        return False
    if settings.shown(tx)["machinesVisibleToDevelopers"]:
        return True
    return access.decide(tx.principal, "tasks:machines.view-hidden", here).allowed


def require_visible(tx: Tx, access: Access) -> None:
    """Raise `Forbidden` (`machines_hidden`) for somebody below a lead, where the settings keep machines from them."""
    if not may_see(tx, access):
        raise Forbidden(
            "Machines are shown to leads and administrators alone.",
            code="machines_hidden",
            hint="Ask an administrator to switch machinesVisibleToDevelopers on.",
        )


def status(tx: Tx, worker: Worker) -> Status:
    return standing.status(worker, tx.now, thresholds(tx, worker.organization_id).heartbeat_timeout)


def page(
    tx: Tx, statuses: Collection[Status], *, decommissioned: bool, before: int | None, skip: int, limit: int
) -> tuple[list[Worker], int]:
    """Those of the current organization, see `roster.page`."""
    organization_id = tx.principal.acts_in
    return roster.page(
        tx,
        organization_id,
        capability=CAPABILITY,
        statuses=statuses,
        decommissioned=decommissioned,
        heartbeat_timeout=thresholds(tx, organization_id).heartbeat_timeout,
        before=before,
        skip=skip,
        limit=limit,
    )


def in_service(tx: Tx) -> list[Worker]:
    """All of the current organization that were not decommissioned, newest first."""
    query = select(Worker).where(
        Worker.organization_id == tx.principal.acts_in, Worker.revoked_at.is_(None), roster.has(CAPABILITY)
    )
    return list(tx.scalars(query.order_by(Worker.id.desc())))


def named(tx: Tx, words: str, limit: int) -> list[Worker]:
    """Those in service whose name has the words, in any case, newest first; every sign stands for itself."""
    query = select(Worker).where(
        Worker.organization_id == tx.principal.acts_in,
        Worker.revoked_at.is_(None),
        roster.has(CAPABILITY),
        Worker.name.icontains(words, autoescape=True),
    )
    return list(tx.scalars(query.order_by(Worker.id.desc()).limit(limit)))


def find(tx: Tx, uid: str, *, to_change: bool = False) -> Worker:
    """One of the current organization, held by this unit where it is `to_change`. Raises `NotFound`
    (`worker_not_found`).
    """
    worker = (roster.locked if to_change else roster.find)(tx, tx.principal.acts_in, uid)
    if CAPABILITY not in worker.capabilities:
        raise NotFound("There is no such machine.", code="worker_not_found", hint="See the list of them.")
    return worker


def drain(tx: Tx, uid: str, reason: str | None = None) -> Worker:
    """Raises `Conflict` (`machine_offline`, `worker_decommissioned`): who is not there takes nothing anyway."""
    worker = find(tx, uid, to_change=True)
    if status(tx, worker) == "offline":
        raise Conflict(
            f"{worker.name} is offline and takes no tasks now.",
            code="machine_offline",
            hint="Drain it once it is back, or decommission it.",
        )
    return draining.drain(tx, worker, reason)


def undrain(tx: Tx, uid: str) -> Worker:
    """Raises `Conflict` (`worker_decommissioned`)."""
    return draining.undrain(tx, find(tx, uid, to_change=True))


def change(
    tx: Tx, uid: str, *, status: str | None = None, name: str | None = None, max_slots: int | None = None
) -> Worker:
    """What an administrator changes; `status` is `online` or `draining`."""
    worker = roster.change(tx, find(tx, uid, to_change=True), name=name, max_slots=max_slots)
    if status == "draining":
        return drain(tx, uid)
    return undrain(tx, uid) if status == "online" else worker


def decommission(tx: Tx, uid: str) -> Worker:
    """See `draining.decommission`."""
    return draining.decommission(tx, find(tx, uid, to_change=True))
