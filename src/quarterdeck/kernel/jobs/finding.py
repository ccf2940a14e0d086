"""Looking into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.jobs.job import COLUMNS, Job
from quarterdeck.kernel.jobs.model import MISSED
from quarterdeck.kernel.jobs.transitions import LIVE, State

_SELECT = f"SELECT {COLUMNS} FROM jobs"  # noqa: S608 - own words


def _missing(what: str) -> NotFound:
    return NotFound(f"There is no job {what}.", code="job_not_found", hint="It may have been pruned.")


def get(tx: Tx, job_id: int) -> Job:
    """Raises `NotFound`."""
    job = look(tx, job_id)
    if job is None:
        raise _missing(str(job_id))
    return job


def look(tx: Tx, job_id: int) -> Job | None:
    """A job by an id that somebody else says."""
    row = tx.execute(f"{_SELECT} WHERE id = :id", {"id": job_id}).first()
    return Job(*row) if row else None


def find(tx: Tx, *, uid: str | None = None, subject: str | None = None, kind: str | None = None) -> Job | None:
    """The newest job with this uid, or about this subject."""
    if uid is not None:
        row = tx.execute(f"{_SELECT} WHERE uid = :uid", {"uid": uid}).first()
        return Job(*row) if row else None
    found = list_jobs(tx, Filter(subject=subject, kind=kind, limit=1))
    return found[0] if found else None


def find_by_idempotency_key(tx: Tx, kind: str, key: str) -> Job:
    row = tx.execute(f"{_SELECT} WHERE kind = :kind AND idempotency_key = :key", {"kind": kind, "key": key}).first()
    if row is None:
        raise _missing(f"with the key {key}")
    return Job(*row)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs to list, newest first; `before` is the id after which the next page begins.

    `with_own` adds the jobs of the installation itself, which belong to no organization; `other_kinds` are left out.
    """

    organization_id: int | None = None
    with_own: bool = False
    subject: str | None = None
    subjects: tuple[str, ...] = ()
    kind: str | None = None
    kinds: tuple[str, ...] = ()
    other_kinds: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    before: int | None = None
    limit: int = 50

    def where(self) -> tuple[str, dict[str, Any]]:
        clauses, small = ["1 = 1"], self._small_index()
        values: dict[str, Any] = {}
        if self.organization_id is not None:
            # `+` keeps a planner from the index of all that an organization ever had where a smaller one leads.
            column = "+organization_id" if small or self.subject or self.subjects else "organization_id"
            own = " OR organization_id IS NULL" if self.with_own else ""
            clauses.append(f"({column} = :organization_id{own})")
            values["organization_id"] = self.organization_id
        for column in ("subject", "kind"):
            value = getattr(self, column)
            if value is not None:
                clauses.append(f"{column} = :{column}")
                values[column] = value
        for column, name, among, words in (
            ("subject", "subjects", "IN", self.subjects),
            ("kind", "kinds", "IN", self.kinds),
            ("kind", "other", "NOT IN", self.other_kinds),
            ("state", "state", "IN", self.states),
        ):
            if words:
                names = {f"{name}_{place}": str(word) for place, word in enumerate(words)}
                clauses.append(f"{column} {among} ({', '.join(':' + one for one in names)})")
                values |= names
        if small:
            clauses.append(small)
        for name, comparison, bound in (("since", ">=", self.created_from), ("until", "<", self.created_to)):
            if bound is not None:
                clauses.append(f"created_at {comparison} :{name}")
                values[name] = micros(bound)
        return " AND ".join(clauses), values

    def _small_index(self) -> str | None:
        """The condition of the small index that holds what is wanted and little else (see `model.py`)."""
        if self.states == (State.RUNNING,):
            return "lease_until IS NOT NULL"
        if self.states and LIVE.issuperset(self.states):
            return "finished_at IS NULL"
        if self.states and not LIVE & {*self.states} and State.SUCCEEDED not in self.states:
            return MISSED
        return None


def list_jobs(tx: Tx, wanted: Filter) -> list[Job]:
    where, values = wanted.where()
    if wanted.before is not None:
        where, values["before"] = f"{where} AND id < :before", wanted.before
    values["limit"] = wanted.limit
    # Among chosen subjects their index leads, else the primary key: `+id` keeps a planner from walking all jobs.
    order = "+id" if wanted.subjects else "id"
    return [Job(*row) for row in tx.execute(f"{_SELECT} WHERE {where} ORDER BY {order} DESC LIMIT :limit", values)]


def count(tx: Tx, wanted: Filter) -> int:
    where, values = wanted.where()
    return int(tx.execute(f"SELECT count(*) FROM jobs WHERE {where}", values).scalar_one())  # noqa: S608 - own words


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that did not end its job."""

    fence: int
    owner: str | None
    outcome: str
    error_code: str | None
    error_message: str | None
    started_us: int | None
    ended_us: int


def attempts(tx: Tx, job_id: int) -> list[Attempt]:
    rows = tx.execute(
        "SELECT fence, owner, outcome, error_code, error_message, started_at, ended_at FROM job_attempts "
        "WHERE job_id = :id ORDER BY fence",
        {"id": job_id},
    )
    return [Attempt(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting job stands: due since or from `due_us`, or parked behind the holder of `parked_key`. `touched_us`
    is when its last attempt ended.
    """

    due_us: int | None
    parked_key: str | None
    touched_us: int | None


def places(tx: Tx, job_ids: Sequence[int]) -> dict[int, Place]:
    """Of these jobs, those that wait."""
    found = {}
    for job_id in job_ids:
        row = tx.execute(
            "SELECT due_at, parked_key, (SELECT max(ended_at) FROM job_attempts WHERE job_id = jobs.id) FROM jobs "
            "WHERE id = :id AND finished_at IS NULL AND lease_until IS NULL",
            {"id": job_id},
        ).first()
        if row is not None:
            found[job_id] = Place(*row)
    return found


def holder(tx: Tx, key: str) -> Job | None:
    """The job that has the turn of a concurrency key."""
    row = tx.execute(f"{_SELECT} WHERE turn_key = :key", {"key": key}).first()
    return Job(*row) if row else None


def ahead(tx: Tx, job: Job) -> int:
    """How many stand in the line of a parked job before it, without the holder."""
    return int(
        tx.execute(
            "SELECT count(*) FROM jobs WHERE parked_key = :key AND (lane < :lane OR (lane = :lane AND "
            "(run_at < :run_at OR (run_at = :run_at AND id < :id))))",
            {"key": job.concurrency_key, "lane": job.lane_rank, "run_at": job.run_us, "id": job.id},
        ).scalar_one()
    )
