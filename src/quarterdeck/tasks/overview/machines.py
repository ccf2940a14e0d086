"""Machines: the workers that take tasks, and the word for how each stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select

from quarterdeck.access import Access
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks import settings

CAPABILITY = "tasks"
Status = Literal["online", "offline", "draining", "decommissioned"]


@dataclass(frozen=True, slots=True)
class Machine:
    worker: Worker
    status: Status


def listed(tx: Tx, words: str = "") -> list[Machine]:
    """Those of the current organization that were not decommissioned, newest first; with `words` those whose name has
    them.
    """
    silence = timedelta(seconds=settings.shown(tx)["heartbeatTimeoutSec"])
    query = select(Worker).where(Worker.organization_id == tx.principal.acts_in, Worker.revoked_at.is_(None))
    if words:
        query = query.where(Worker.name.icontains(words, autoescape=True))
    found = tx.scalars(query.order_by(Worker.id.desc()))
    return [Machine(one, status(one, tx.now, silence)) for one in found if CAPABILITY in one.capabilities]


def status(worker: Worker, now: datetime, silence: timedelta) -> Status:
    """Contract §4.2: offline after `silence` without a sign of life."""
    if worker.revoked_at is not None:
        return "decommissioned"
    if worker.last_seen_at is None or worker.last_seen_at < now - silence:
        return "offline"
    return "draining" if worker.drain_requested_at is not None else "online"


def may_see(tx: Tx, access: Access) -> bool:
    """Whether the caller sees machines: developers do where the settings say so."""
    access.load(tx)
    if not access.decide(tx.principal, "tasks:machines.view").allowed:
        return False
    if settings.shown(tx)["machinesVisibleToDevelopers"]:
        return True
    leads = access.carrying("tasks:machines.drain")
    return bool(leads & access.roles(tx.principal.id, tx.principal.acts_in))
