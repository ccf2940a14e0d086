"""The machines of an organization as the choice sees them: what their rows say, and who is connected here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Text, cast, func, select

from quarterdeck.fleet.workers import degradation
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.fleet.workers.standing import bounded
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.db.types import decode
from quarterdeck.kernel.jobs.session import Seat
from quarterdeck.tasks.dispatching.choosing import CAPABILITY, Machine
from quarterdeck.tasks.orders import RUN
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.transitions import HELD, RATE_LIMITED, SUSPENDED

MOST = 10_000
AGENT = "agent:"
"""What a capability begins with that names an agent program."""
WELL = ("{}", "[]")
"""What says of `trouble` and `ailing` that nothing is the matter, which is nearly always so."""
Seats = Mapping[int, Seat]


def seated(seats: Iterable[Seat]) -> Seats:
    """Who is connected, by row id; the worker inside of the server has none."""
    return {seat.worker_id: seat for seat in seats if seat.worker_id is not None}


class _Agent(Struct):
    type: str


class _Size(Struct, rename="camel"):
    cpu_cores: int | None = None
    memory_mb: int | None = None


_FACTS = (
    Worker.id, Worker.name, Worker.drain_requested_at, Worker.slots, Worker.max_slots, Worker.used_slots,
    Worker.cpu_percent, Worker.mem_percent,
)  # fmt: skip
_TEXTS = tuple(
    cast(column, Text)
    for column in (
        Worker.capabilities, Worker.offered, Worker.agents, Worker.trouble, Worker.ailing, Worker.projects,
        Worker.hardware,
    )
)  # fmt: skip
_words = msgspec.json.Decoder(frozenset[str]).decode
_agents = msgspec.json.Decoder(list[_Agent]).decode
_size = msgspec.json.Decoder(_Size).decode


def machines(tx: Tx, organization_id: int, seats: Seats) -> list[Machine]:
    """Every machine that is not decommissioned. Only those that are connected to this server are online.

    Read for each task that is given out, while the database waits: so it reads columns, not rows of the ORM, and of
    what they keep as JSON only what the choice asks for (bench: fabric).
    """
    mine = (Worker.organization_id == organization_id, Worker.revoked_at.is_(None))
    rows = tx.execute(select(*_FACTS, *_TEXTS).where(*mine).order_by(Worker.id))
    taken, unclaimed = held_by_machine(tx, organization_id), given_to_machine(tx, organization_id)
    return [_described(row, seats.get(row[0]), taken, unclaimed, tx.now) for row in rows]


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


class _Kept(NamedTuple):
    """What the texts of a machine's row come to."""

    capable: bool
    agents: frozenset[str]
    projects: frozenset[str]
    cores: int
    memory_mb: int


@lru_cache(maxsize=2048)
def _kept(capabilities: str, told: str | frozenset[str], agents: str, projects: str, hardware: str) -> _Kept:
    """Remembered by the texts themselves, which mostly are those of the look before."""
    words = _words(capabilities) | (_words(told) if isinstance(told, str) else told)
    size = _size(hardware)
    return _Kept(
        CAPABILITY in words,
        frozenset([*(word.removeprefix(AGENT) for word in words), *(one.type for one in _agents(agents))]),
        frozenset([one.lower() for one in _words(projects)]),
        size.cpu_cores or 0,
        size.memory_mb or 0,
    )


def _described(
    row: Sequence[Any], seat: Seat | None, taken: Counter[int], unclaimed: Counter[int], now: datetime
) -> Machine:
    (
        worker_id, name, drained, offered_slots, max_slots, used, cpu, memory,
        capabilities, offered, agents, trouble, ailing, projects, hardware,
    ) = row  # fmt: skip
    kept = _kept(capabilities, offered if seat is None else seat.capabilities, agents, projects, hardware)
    busy, most = used if seat is None else seat.slots - seat.free, bounded(offered_slots, max_slots)
    lost = () if (trouble, ailing) == WELL else degradation.found(decode(trouble), decode(ailing), now)
    return Machine(
        id=worker_id,
        name=name,
        capable=kept.capable,
        online=seat is not None,
        draining=drained is not None or (seat is not None and seat.draining),
        agents=kept.agents,
        degraded=frozenset([one.agent for one in lost]),
        cpu=cpu or 0.0,
        memory=memory or 0.0,
        slots=most if seat is None else min(seat.slots, most),
        used=max(busy + unclaimed.get(worker_id, 0), taken.get(worker_id, 0)),
        projects=kept.projects,
        cores=kept.cores,
        memory_mb=kept.memory_mb,
    )
