"""Jobs that are due again and again: by cron expression in a time zone, or every so many seconds.

A due time fires once on however many replicas: firing inserts the unique pair of schedule and due time. After an
outage the latest missed time fires, the others are passed over. A schedule that cannot be fired is put off, and keeps
nobody else waiting.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog
from cronsim import CronSim, CronSimError
from sqlalchemy import select

from quarterdeck.kernel.clock import instant, micros
from quarterdeck.kernel.db import Tx, of_storage
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.jobs import ledger
from quarterdeck.kernel.jobs.job import Enqueue
from quarterdeck.kernel.jobs.kinds import kinds
from quarterdeck.kernel.jobs.model import JobSchedule

BATCH = 100
AGAIN = timedelta(minutes=5)
"""So long later a schedule that could not be fired is tried again."""
log = structlog.get_logger("quarterdeck.jobs")


class Rhythm(msgspec.Struct, frozen=True):
    """When: `cron` (five fields) in `timezone`, or `every_seconds`."""

    cron: str | None = None
    every_seconds: int | None = None
    timezone: str = "UTC"

    def next_after(self, moment: datetime) -> datetime:
        """The first due time after `moment`. Raises `Invalid`."""
        if self.every_seconds is not None:
            if self.every_seconds < 1 or self.cron is not None:
                raise Invalid("A schedule runs by a cron expression or every so many seconds.", code="schedule_invalid")
            return moment + timedelta(seconds=self.every_seconds)
        try:
            zone = ZoneInfo(self.timezone)
            return next(CronSim(self.cron or "", moment.astimezone(zone))).astimezone(UTC)
        except (CronSimError, KeyError, ValueError, StopIteration) as error:
            raise Invalid(
                f"{self.cron!r} in {self.timezone} is not a schedule.",
                code="schedule_invalid",
                hint="Use five cron fields and a zone such as Europe/Berlin.",
            ) from error


def set_schedule(tx: Tx, name: str, rhythm: Rhythm, request: Enqueue, *, enabled: bool = True) -> JobSchedule:
    """Create or change the schedule of this name. An unchanged rhythm keeps its next due time."""
    following = rhythm.next_after(tx.now)
    row = tx.first(select(JobSchedule).where(JobSchedule.name == name))
    if row is None:
        row = JobSchedule(uid=tx.ids.uid(), name=name, created_at=tx.now, last_due_at=None, next_due_at=None)
        tx.session.add(row)
    changed = (row.cron, row.every_seconds, row.timezone) != (rhythm.cron, rhythm.every_seconds, rhythm.timezone)
    row.kind, row.subject, row.organization_id = request.kind, request.subject, request.organization_id
    row.payload = msgspec.json.encode(request.payload).decode()
    row.cron, row.every_seconds, row.timezone = rhythm.cron, rhythm.every_seconds, rhythm.timezone
    row.enabled = enabled
    row.options = {
        "lane": request.lane,
        "capabilities": sorted(request.capabilities),
        "worker_id": request.worker_id,
        "concurrency_key": request.concurrency_key,
        "max_attempts": request.max_attempts,
    }
    if not enabled:
        row.next_due_at = None
    elif changed or row.next_due_at is None:
        row.next_due_at = following
    tx.flush()
    return row


def remove_schedule(tx: Tx, name: str) -> None:
    """Forget a schedule and its past; jobs that it enqueued stay."""
    tx.execute(
        "DELETE FROM job_schedule_runs WHERE schedule_id IN (SELECT id FROM job_schedules WHERE name = :name)",
        {"name": name},
    )
    tx.execute("DELETE FROM job_schedules WHERE name = :name", {"name": name})


_DUE = (
    "SELECT id, name, cron, every_seconds, timezone, next_due_at "
    "FROM job_schedules WHERE next_due_at <= :now ORDER BY next_due_at LIMIT :limit"
)
_FIRE = (
    "INSERT INTO job_schedule_runs (schedule_id, due_at, fired_at) VALUES (:schedule, :due, :now) "
    "ON CONFLICT (schedule_id, due_at) DO NOTHING RETURNING id"
)
_PUT_OFF = "UPDATE job_schedules SET next_due_at = :next WHERE id = :id"


class Unfit(msgspec.Struct, frozen=True):
    """A schedule that cannot be fired, and why."""

    name: str
    problem: str


def fire_due(tx: Tx) -> int:
    """Enqueue one job for each schedule whose time has come. One that cannot be fired is tried again `AGAIN` later."""
    now = micros(tx.now)
    skip = " FOR UPDATE SKIP LOCKED" if tx.dialect == "postgresql" else ""
    rows = tx.execute(_DUE + skip, {"now": now, "limit": BATCH}).all()
    for row in rows:
        try:
            with tx.savepoint():
                _fire(tx, row, now)
        except Exception as error:
            if of_storage(error):
                raise
            log.exception("schedule_not_fired", schedule=row.name)
            tx.execute(_PUT_OFF, {"next": micros(tx.now + AGAIN), "id": row.id})
    return len(rows)


def unfit(tx: Tx) -> list[Unfit]:
    """Schedules that are on and cannot be fired by this program, by name."""
    found = []
    for name, schedule_id in tx.execute("SELECT name, id FROM job_schedules WHERE enabled ORDER BY name").all():
        try:
            row = tx.get(JobSchedule, schedule_id)
            if row is not None:
                _asked(tx, row)
        except Problem as problem:
            found.append(Unfit(name, problem.message))
        except Exception as error:
            if of_storage(error):
                raise
            found.append(Unfit(name, f"What it asks for cannot be read ({type(error).__name__})."))
    return found


def _fire(tx: Tx, row: Any, now: int) -> None:
    rhythm = Rhythm(row.cron, row.every_seconds, row.timezone)
    due, following = row.next_due_at, rhythm.next_after(instant(row.next_due_at))
    while micros(following) <= now:
        due = micros(following)
        following = rhythm.next_after(max(following, tx.now - timedelta(seconds=rhythm.every_seconds or 0)))
    tx.execute(
        "UPDATE job_schedules SET next_due_at = :next, last_due_at = :due WHERE id = :id",
        {"next": micros(following), "due": due, "id": row.id},
    )
    run = tx.execute(_FIRE, {"schedule": row.id, "due": due, "now": now}).scalar()
    schedule = tx.get(JobSchedule, row.id)
    if run is None or schedule is None:
        return
    asked = msgspec.structs.replace(_asked(tx, schedule), idempotency_key=f"schedule:{row.id}:{due}")
    job = ledger.enqueue(tx, asked)
    tx.execute("UPDATE job_schedule_runs SET job_id = :job WHERE id = :run", {"job": job.id, "run": run})


def _asked(tx: Tx, row: JobSchedule) -> Enqueue:
    """What a schedule asks for, whenever it is due. Raises `NotFound` for a kind that nobody registered, `Invalid` for
    a rhythm that means nothing, and as reading does for what cannot be read.
    """
    Rhythm(row.cron, row.every_seconds, row.timezone).next_after(tx.now)
    options = row.options
    return Enqueue(
        kind=kinds.get(row.kind).name,
        payload=msgspec.json.decode(row.payload),
        organization_id=row.organization_id,
        subject=row.subject,
        lane=options.get("lane"),
        capabilities=frozenset(options.get("capabilities", ())),
        worker_id=options.get("worker_id"),
        concurrency_key=options.get("concurrency_key"),
        max_attempts=options.get("max_attempts", 1),
    )
