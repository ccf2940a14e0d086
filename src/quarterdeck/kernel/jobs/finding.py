"""Looking into the ledger."""

from __future__ import annotations

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
    row = tx.execute(f"{_SELECT} WHERE id = :id", {"id": job_id}).first()
    if row is None:
        raise _missing(str(job_id))
    return Job(*row)


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
    """Which jobs to list, newest first; `before` is the id after which the next page begins."""

    organization_id: int | None = None
    subject: str | None = None
    kind: str | None = None
    kinds: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    before: int | None = None
    limit: int = 50

    def where(self) -> tuple[str, dict[str, Any]]:
        clauses, values = ["1 = 1"], {}
        for column in ("organization_id", "subject", "kind"):
            value = getattr(self, column)
            if value is not None:
                clauses.append(f"{column} = :{column}")
                values[column] = value
        for column, words in (("kind", self.kinds), ("state", self.states)):
            if words:
                names = {f"{column}_{place}": str(word) for place, word in enumerate(words)}
                clauses.append(f"{column} IN ({', '.join(':' + name for name in names)})")
                values |= names
        # Live jobs are found by the small indexes that hold no others (see `model.py`).
        if self.states == (State.RUNNING,):
            clauses.append("lease_until IS NOT NULL")
        elif self.states and LIVE.issuperset(self.states):
            clauses.append("finished_at IS NULL")
        elif self.states and not LIVE & {*self.states} and State.SUCCEEDED not in self.states:
            clauses.append(MISSED)
        for name, comparison, bound in (("since", ">=", self.created_from), ("until", "<", self.created_to)):
            if bound is not None:
                clauses.append(f"created_at {comparison} :{name}")
                values[name] = micros(bound)
        return " AND ".join(clauses), values


def list_jobs(tx: Tx, wanted: Filter) -> list[Job]:
    where, values = wanted.where()
    if wanted.before is not None:
        where, values["before"] = f"{where} AND id < :before", wanted.before
    values["limit"] = wanted.limit
    return [Job(*row) for row in tx.execute(f"{_SELECT} WHERE {where} ORDER BY id DESC LIMIT :limit", values)]


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
