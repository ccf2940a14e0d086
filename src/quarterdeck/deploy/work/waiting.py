"""Why work does not run yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import or_, select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import instant, micros, wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs import routes

Reason = Literal[
    "behind-other-work",
    "not-due-yet",
    "next-attempt-not-due",
    "worker-missing",
    "worker-away",
    "workers-draining",
    "workers-busy",
    "server-away",
    "about-to-start",
]
HERE = "local:"


@dataclass(frozen=True, slots=True)
class Waiting:
    """`message` says why, `hint` what can be done about it, `until` when it is due by itself, `behind` which goes
    first.
    """

    reason: Reason
    message: str
    hint: str | None = None
    until: datetime | None = None
    behind: jobs.Job | None = None


def reasons(
    tx: Tx,
    found: Sequence[jobs.Job],
    places: Mapping[int, jobs.Place],
    seats: Sequence[jobs.Seat],
    *,
    whole: bool = False,
) -> dict[int, Waiting]:
    """Of those jobs that wait, why each does. `seats` are the connected workers; `whole` also counts the line."""
    waiting = [job for job in found if job.id in places]
    holders = {key: jobs.holder(tx, key) for key in {place.parked_key for place in places.values() if place.parked_key}}
    known: list[Worker] = []
    if waiting:
        owners = [Worker.organization_id == job.organization_id for job in waiting if job.organization_id is not None]
        if owners:
            known = list(tx.scalars(select(Worker).where(Worker.revoked_at.is_(None), or_(*set(owners)))))
    told = {}
    for job in waiting:
        place = places[job.id]
        if place.parked_key is not None:
            line = jobs.ahead(tx, job) if whole else 0
            told[job.id] = _parked(tx, job, holders.get(place.parked_key), line)
        elif place.due_us is not None and place.due_us > micros(tx.now):
            told[job.id] = _later(job, instant(place.due_us))
        else:
            told[job.id] = _due(job, seats, known)
    return told


def _parked(tx: Tx, job: jobs.Job, first: jobs.Job | None, line: int) -> Waiting:
    if job.run_us > micros(tx.now):
        return _later(job, job.run_at)
    if first is None:
        return Waiting("about-to-start", "Its turn comes in a moment.")
    title = jobs.kinds.title(first.kind)
    between = "" if line == 0 else " One more stands between." if line == 1 else f" {line} more stand between."
    state = {"running": "which runs now", "retry-scheduled": "which waits for its next try"}.get(
        first.state, "which waits itself"
    )
    return Waiting(
        "behind-other-work",
        f"It waits for its turn behind “{title}” ({first.work_ref}), {state}.{between}",
        f"qd work show {first.work_ref}",
        behind=first,
    )


def _later(job: jobs.Job, moment: datetime) -> Waiting:
    if job.state == "retry-scheduled":
        message = f"Try {job.attempts} of {job.max_attempts} failed; the next one is due at {wire_time(moment)}."
        return Waiting("next-attempt-not-due", message, until=moment)
    return Waiting("not-due-yet", f"It is due at {wire_time(moment)}.", until=moment)


def _due(job: jobs.Job, seats: Sequence[jobs.Seat], known: Sequence[Worker]) -> Waiting:
    needed = routes.needed(job.requires)
    able = [seat for seat in seats if seat.able(job)]
    taking = [seat for seat in able if not seat.draining]
    if taking:
        rooms = [seat.room(job.lane) for seat in taking]
        if any(free > 0 for _, free in rooms):
            return Waiting("about-to-start", "A worker is free for it: it starts in a moment.")
        slots = sum(total for total, _ in rooms)
        return Waiting(
            "workers-busy",
            f"Every place of the workers that could take it is taken ({slots} of {slots}).",
            "It starts when one of them is free; another worker adds places.",
        )
    if able:
        return Waiting(
            "workers-draining",
            "The workers that could take it are being drained and take nothing new.",
            "End the draining, or connect another worker.",
        )
    away = [
        one
        for one in known
        if one.organization_id == job.organization_id
        and (job.worker_id == one.id or (job.worker_id is None and needed <= {*one.capabilities}))
    ]
    if away:
        return _away(away)
    words = sorted(word for word in needed if not word.startswith(HERE))
    if jobs.SERVER in needed:
        return Waiting("worker-missing", "The server's own worker is not connected.", "It is back within a second.")
    here = any(word.startswith(HERE) for word in needed)
    where = " on the machine of the server itself" if here else ""
    offered = ", ".join(words) or "any work"
    return Waiting(
        "worker-missing",
        f"No worker that offers {offered}{where} is connected.",
        "Start the server without --no-worker." if here else f"qd worker --capability {','.join(words)}",
    )


def _away(workers: Sequence[Worker]) -> Waiting:
    newest = max(workers, key=lambda one: micros(one.last_seen_at) if one.last_seen_at else 0)
    seen = f"was last seen at {wire_time(newest.last_seen_at)}" if newest.last_seen_at else "never connected"
    names = newest.name if len(workers) == 1 else f"{newest.name} (the last of {len(workers)} that could)"
    return Waiting(
        "worker-away",
        f"The worker {names} could take it, and {seen}.",
        "Start it again on its machine: qd worker.",
    )
