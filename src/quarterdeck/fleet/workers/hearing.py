"""What is noted of a connected worker: its hello, its signs of life, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import select

from quarterdeck.fleet.workers import degradation, description, draining, standing
from quarterdeck.fleet.workers.actions import CHANGED
from quarterdeck.fleet.workers.confining import parts
from quarterdeck.fleet.workers.description import About, Condition, percent
from quarterdeck.fleet.workers.enrolment import LOCAL
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.fleet.workers.standing import Thresholds
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.text import shown

ELSEWHERE = ":elsewhere"
"""Ends the word of a capability that only enrolled workers have."""


@dataclass(frozen=True, slots=True)
class Noted:
    """How the server stands to a worker that it has just heard: what its connection has to follow."""

    revoked: bool
    superseded: bool
    draining: bool
    slots: int


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat as it came over a connection of a worker: `boot_id` is that of the connection's hello."""

    worker: Worker
    boot_id: str
    frame: frames.Heartbeat
    said: Condition


def granted(worker: Worker, hello: frames.Hello) -> frozenset[str]:
    """What a connected worker is given: what it offers and was enrolled for, with parts of that (`infra:drift`) and
    what it is a part of, and work that the server's own worker may not do (`infra:elsewhere`). The machine that
    came first under a credential is the one it stands for; another gets no work that is bound to a machine.
    """
    allowed = set(parts.down(worker.capabilities))
    if LOCAL in allowed and hello.fingerprint and worker.fingerprint in {None, hello.fingerprint}:
        allowed.add(f"{LOCAL}:{hello.fingerprint}")
    given = parts.up(parts.down(hello.capabilities) & allowed)
    return given | {f"{word}{ELSEWHERE}" for word in given if ":" not in word}


def connected(tx: Tx, worker_id: int, hello: frames.Hello, about: About) -> Noted:
    """Keep what a hello says. Its slots are an offer: `Noted.slots` is what it gets."""
    worker = _held(tx, worker_id)
    if worker.boot_id != hello.boot_id[:40]:
        degradation.started_again(worker)
    worker.first_seen_at = worker.first_seen_at or tx.now
    worker.last_seen_at, worker.left_at = tx.now, None
    worker.fingerprint = worker.fingerprint or hello.fingerprint[:80] or None
    worker.version, worker.boot_id = shown(hello.worker_version, 40), hello.boot_id[:40]
    worker.offered = [shown(word, 128) for word in sorted(hello.capabilities)]
    if hello.slots or worker.drain_requested_at is None:  # who is drained from here offers none meanwhile
        worker.slots = min(hello.slots, description.MOST_SLOTS)
    if about.agents is not None:
        worker.agents = description.plain(about.agents)
    if about.hardware is not None:
        worker.hardware = description.plain(about.hardware)
    _keep_projects(worker, about.projects)
    tx.publish(CHANGED, worker.uid)
    return noted(worker, hello.boot_id)


def left(tx: Tx, worker_id: int, boot_id: str) -> None:
    """It had said that it goes, and has hung up: it is away, not silent. Another start of it may be here already."""
    worker = _held(tx, worker_id)
    if worker.boot_id == boot_id[:40]:
        worker.left_at = tx.now
        tx.publish(CHANGED, worker.uid)


def heard(tx: Tx, beats: Sequence[Beat], thresholds: Callable[[Tx, int], Thresholds]) -> list[Noted]:
    """Keep what heartbeats of some workers say. A disk that has just become too full drains its worker; who undrains
    it then is not contradicted until the disk has had room in between.
    """
    limits = cache(lambda organization_id: thresholds(tx, organization_id))
    # All of them before anything that a drain locks: nobody waits for a worker while holding what comes after it.
    tx.lock(*{f"worker:{beat.worker.uid}" for beat in beats})
    mine = select(Worker).where(Worker.id.in_({beat.worker.id for beat in beats}))
    workers = {one.id: one for one in tx.scalars(mine)}
    return [_heard(tx, workers[beat.worker.id], beat, limits) for beat in beats]


def _heard(tx: Tx, worker: Worker, heard: Beat, limits: Callable[[int], Thresholds]) -> Noted:
    boot_id, beat = heard.boot_id, heard.frame
    if worker.boot_id != boot_id[:40] or worker.revoked_at is not None:
        return noted(worker, boot_id)
    before = worker.disk_percent
    worker.last_seen_at, worker.used_slots = tx.now, min(max(beat.used_slots, 0), 10_000)
    worker.cpu_percent, worker.mem_percent = percent(beat.cpu_percent), percent(beat.mem_percent)
    worker.disk_percent = percent(beat.disk_percent)
    worker.load1 = None if beat.load1 is None else min(max(float(beat.load1), 0.0), 1e6)
    _keep_projects(worker, heard.said.projects)
    if heard.said.degraded is not None:
        worker.ailing = description.plain(heard.said.degraded)
    most = limits(worker.organization_id).disk_drain
    full = worker.disk_percent is not None and worker.disk_percent > most
    if full and (before is None or before <= most) and worker.drain_requested_at is None:
        draining.drain_full(tx, worker, most)
    return noted(worker, boot_id)


def _keep_projects(worker: Worker, projects: list[str] | None) -> None:
    if projects is not None:
        worker.projects = sorted({shown(key, 64) for key in projects})


def _held(tx: Tx, worker_id: int) -> Worker:
    row = tx.one(select(Worker).where(Worker.id == worker_id), what=f"worker {worker_id}", code="worker_not_found")
    tx.lock(f"worker:{row.uid}")
    tx.session.refresh(row)
    return row


def noted(worker: Worker, boot_id: str | None = None) -> Noted:
    """How a worker stands; superseded only where a `boot_id` is given that is another than that of its last hello."""
    return Noted(
        worker.revoked_at is not None,
        boot_id is not None and worker.boot_id != boot_id[:40],
        worker.drain_requested_at is not None,
        standing.slots(worker),
    )
