"""The machines of an organization as the choice sees them: what their rows say, and who is connected here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, select

from quarterdeck.fleet.workers.degradation import degraded
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.fleet.workers.standing import slots
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.session import Seat
from quarterdeck.tasks.dispatching.choosing import CAPABILITY, Machine
from quarterdeck.tasks.orders import RUN
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.transitions import HELD, RATE_LIMITED, SUSPENDED

MOST = 10_000
AGENT = "agent:"
"""What a capability begins with that names an agent program."""
Seats = Mapping[int, Seat]


def seated(seats: Iterable[Seat]) -> Seats:
    """Who is connected, by row id; the worker inside of the server has none."""
    return {seat.worker_id: seat for seat in seats if seat.worker_id is not None}


def machines(tx: Tx, organization_id: int, seats: Seats) -> list[Machine]:
    """Every machine that is not decommissioned. Only those that are connected to this server are online."""
    query = select(Worker).where(Worker.organization_id == organization_id, Worker.revoked_at.is_(None))
    workers = list(tx.scalars(query.order_by(Worker.id)))
    taken, unclaimed = held_by_machine(tx, organization_id), given_to_machine(tx, organization_id)
    return [described(one, seats.get(one.id), taken[one.id], unclaimed[one.id], tx.now) for one in workers]


def held_by_machine(tx: Tx, organization_id: int) -> Counter[int]:
    """How many tasks each machine has now."""
    rows = tx.execute(
        select(Task.worker_id, func.count())
        .where(
            Task.organization_id == organization_id,
            Task.finished_at.is_(None),
            Task.status.in_(HELD),
            Task.worker_id.is_not(None),
            ~((Task.status == SUSPENDED) & (func.coalesce(Task.suspend_reason, "") == RATE_LIMITED)),
        )
        .group_by(Task.worker_id)
    )
    return Counter({row[0]: row[1] for row in rows})


def given_to_machine(tx: Tx, organization_id: int) -> Counter[int]:
    """How many attempts each machine was given and has not taken yet: its seat does not count them."""
    wanted = jobs.Filter(organization_id, kind=RUN, states=(jobs.State.PENDING,), limit=MOST)
    return Counter(job.worker_id for job in jobs.list_jobs(tx, wanted) if job.worker_id is not None)


def described(worker: Worker, seat: Seat | None, taken: int, unclaimed: int, now: datetime) -> Machine:
    words = frozenset(worker.capabilities) | (frozenset(worker.offered) if seat is None else seat.capabilities)
    busy = worker.used_slots if seat is None else seat.slots - seat.free
    most = slots(worker)
    return Machine(
        id=worker.id,
        name=worker.name,
        capable=CAPABILITY in words,
        online=seat is not None,
        draining=worker.drain_requested_at is not None or (seat is not None and seat.draining),
        agents=frozenset({word.removeprefix(AGENT) for word in words} | {one["type"] for one in worker.agents}),
        degraded=frozenset(one.agent for one in degraded(worker, now)),
        cpu=worker.cpu_percent or 0.0,
        memory=worker.mem_percent or 0.0,
        slots=most if seat is None else min(seat.slots, most),
        used=max(busy + unclaimed, taken),
        projects=frozenset(one.lower() for one in worker.projects),
        cores=int(worker.hardware.get("cpuCores") or 0),
        memory_mb=int(worker.hardware.get("memoryMb") or 0),
    )
