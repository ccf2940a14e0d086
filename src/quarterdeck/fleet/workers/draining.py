"""Taking workers out of service: draining, its end, and decommissioning for good."""

from __future__ import annotations

from collections.abc import Callable

from quarterdeck.fleet.workers.actions import WorkerAction, note, tell
from quarterdeck.fleet.workers.enrolment import digest
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.text import lines

Departure = Callable[[Tx, Worker], object]


class Departures:
    """What other rooms do in the unit in which a worker is decommissioned, with what it had."""

    def __init__(self) -> None:
        self._rules: dict[str, Departure] = {}

    def register(self, name: str, rule: Departure) -> None:
        """Once for each name; a later rule of the same name takes the place of the earlier one."""
        self._rules[name] = rule

    def run(self, tx: Tx, worker: Worker) -> None:
        for rule in tuple(self._rules.values()):
            rule(tx, worker)


departures = Departures()


def owner(worker: Worker) -> str:
    """As whom the ledger knows it."""
    return f"worker:{worker.uid}"


def drain(tx: Tx, worker: Worker, reason: str | None = None) -> Worker:
    """Ask that no new work be given; what runs goes on. Tell a connected one by `WorkerControl.follow`. Raises
    `Conflict` (`worker_decommissioned`); a worker that is draining already stays so.
    """
    require_in_service(worker)
    told = lines(reason, "reason", 300) or None if reason is not None else None
    if worker.drain_requested_at is None:
        _begin(tx, worker, told, "person")
        note(tx, worker, WorkerAction.DRAINED, reason=told)
    return worker


def drain_full(tx: Tx, worker: Worker, limit: float) -> None:
    """The disk is too full for new work. Only a person ends that."""
    reason = f"Its disk is {worker.disk_percent:.0f} % full, more than {limit:g} %, the setting diskDrainPercent."
    _begin(tx, worker, reason, "disk")
    note(tx, worker, WorkerAction.DRAINED, reason=reason, by="disk")


def _begin(tx: Tx, worker: Worker, reason: str | None, by: str) -> None:
    worker.drain_requested_at, worker.drain_reason = tx.now, reason
    tell(tx, worker, "worker-drained", by=by, reason=reason)


def undrain(tx: Tx, worker: Worker) -> Worker:
    """Give it new work again. Raises `Conflict` (`worker_decommissioned`)."""
    require_in_service(worker)
    if worker.drain_requested_at is not None:
        worker.drain_requested_at, worker.drain_reason = None, None
        tell(tx, worker, "worker-undrained")
        note(tx, worker, WorkerAction.UNDRAINED)
    return worker


def decommission(tx: Tx, worker: Worker, *, audited: bool = True) -> Worker:
    """End a worker for ever: its credentials count no longer, what it had is dealt with by `departures` and goes back
    into the ledger. Close its connection by `WorkerControl.send_away`. Again is a success. Not `audited`: the caller
    writes the audit event of the act that this is a part of.
    """
    if worker.revoked_at is not None:
        return worker
    worker.revoked_at = tx.now
    worker.generation += 1
    worker.recovery_hash = digest(tx.ids.token(32))
    tell(tx, worker, "worker-decommissioned")
    if audited:
        note(tx, worker, WorkerAction.REVOKED)
    tx.flush()
    departures.run(tx, worker)
    jobs.requeue_abandoned(tx, owner(worker))
    return worker


def require_in_service(worker: Worker) -> None:
    """Raise `Conflict` (`worker_decommissioned`) for one that is not."""
    if worker.revoked_at is not None:
        raise Conflict(
            f"{worker.name} was decommissioned.", code="worker_decommissioned", hint="Enrol the machine again."
        )
