"""Who may dial in: credentials, their proof, and what is known of their holders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.jobs import SERVER, frames
from quarterdeck.kernel.vault import Secret

PREFIX = "qd_worker_"
LOCAL = "local"
"""Enrolled with this word, a worker is given what is bound to its own machine (`local:<fingerprint>`)."""


class WorkerAction(audit.Action):
    ENROLLED = "worker.enrolled"
    REVOKED = "worker.revoked"
    DRAINED = "worker.drained"
    UNDRAINED = "worker.undrained"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def enrol(tx: Tx, organization_id: int, name: str, capabilities: Iterable[str]) -> tuple[Worker, Secret[str]]:
    """Make a worker known. Its token is answered this once and kept as a hash. Raises `Invalid`."""
    wanted = sorted(set(capabilities))
    for word in wanted:
        if not word or word == SERVER or "," in word or word.startswith("@"):
            raise Invalid(
                f"{word!r} is not a capability that a worker can have.",
                code="worker_capability_invalid",
                hint="Name capabilities such as deploy, local, infra or tasks.",
            )
    token = PREFIX + tx.ids.token()
    worker = Worker(
        uid=tx.ids.uid(),
        organization_id=organization_id,
        name=name,
        credential_hash=_digest(token),
        capabilities=wanted,
        offered=[],
        created_at=tx.now,
    )
    tx.add(worker)
    _audit(tx, worker, WorkerAction.ENROLLED)
    return worker, Secret(token)


def authenticate(tx: Tx, token: str) -> Worker | None:
    """The worker whose credential this is, revoked or not; None for anything else."""
    if not token.startswith(PREFIX):
        return None
    return tx.first(select(Worker).where(Worker.credential_hash == _digest(token)))


def all_of(tx: Tx, organization_id: int) -> list[Worker]:
    """Every worker that was enrolled, the revoked ones too, oldest first."""
    return list(tx.scalars(select(Worker).where(Worker.organization_id == organization_id).order_by(Worker.id)))


def find(tx: Tx, organization_id: int, uid: str) -> Worker:
    """Raises `NotFound`."""
    query = select(Worker).where(Worker.organization_id == organization_id, Worker.uid == uid)
    worker = tx.first(query)
    if worker is None:
        raise NotFound(
            f"There is no worker {uid[:60]}.", code="worker_not_found", hint="See their ids: quarterdeck enrol --list"
        )
    return worker


def granted(worker: Worker, hello: frames.Hello) -> frozenset[str]:
    """What a connected worker is given: what it offers and was enrolled for. The machine that came first under a
    credential is the one it stands for; another gets no work that is bound to a machine.
    """
    allowed = set(worker.capabilities)
    if LOCAL in allowed and hello.fingerprint and worker.fingerprint in {None, hello.fingerprint}:
        allowed.add(f"{LOCAL}:{hello.fingerprint}")
    return frozenset(hello.capabilities) & allowed


def connected(tx: Tx, worker_id: int, hello: frames.Hello) -> None:
    worker = _worker(tx, worker_id)
    worker.first_seen_at = worker.first_seen_at or tx.now
    worker.last_seen_at = tx.now
    worker.fingerprint = worker.fingerprint or hello.fingerprint[:80] or None
    worker.version, worker.boot_id = hello.worker_version[:40], hello.boot_id[:40]
    worker.offered, worker.slots = sorted(hello.capabilities), hello.slots


def seen(tx: Tx, worker_id: int, used_slots: int, at: datetime | None = None) -> bool:
    """Note a sign of life. Answers whether the credential still holds."""
    worker = _worker(tx, worker_id)
    worker.last_seen_at, worker.used_slots = at or tx.now, used_slots
    return worker.revoked_at is None


def request_drain(tx: Tx, worker_id: int, *, drain: bool = True) -> Worker:
    """Ask that no new work be given, or take that back. Tell a connected one by `WorkerControl.drain`."""
    worker = _worker(tx, worker_id)
    worker.drain_requested_at = tx.now if drain else None
    _audit(tx, worker, WorkerAction.DRAINED if drain else WorkerAction.UNDRAINED)
    return worker


def revoke(tx: Tx, worker_id: int) -> Worker:
    """End a credential for ever. Its worker is sent away at its next hello, a connected one at the next note of it."""
    worker = _worker(tx, worker_id)
    if worker.revoked_at is None:
        worker.revoked_at = tx.now
        _audit(tx, worker, WorkerAction.REVOKED)
    return worker


def _worker(tx: Tx, worker_id: int) -> Worker:
    return tx.one(select(Worker).where(Worker.id == worker_id), what=f"worker {worker_id}", code="worker_not_found")


def _audit(tx: Tx, worker: Worker, action: WorkerAction) -> None:
    audit.record(
        tx,
        action,
        resource_type="worker",
        resource_id=worker.uid,
        organization_id=worker.organization_id,
        detail={"name": worker.name, "capabilities": worker.capabilities},
    )
