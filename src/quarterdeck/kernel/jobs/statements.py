"""The ledger's hot statements, as the rules see them; one implementation for each database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.job import Job

DRAFT_COLUMNS = (
    "uid", "kind", "state", "lane", "organization_id", "subject", "payload", "requires", "worker_id",
    "concurrency_key", "idempotency_key", "correlation_id", "parent_id", "retry_of_id", "run_at", "max_attempts",
    "lease_seconds", "created_at", "due_at", "route", "turn_key", "parked_key", "wake_at",
)  # fmt: skip


@dataclass(slots=True)
class Draft:
    """A row about to be inserted, in the order of `DRAFT_COLUMNS`."""

    uid: str
    kind: str
    state: str
    lane: int
    organization_id: int | None
    subject: str | None
    payload: str
    requires: str
    worker_id: int | None
    concurrency_key: str | None
    idempotency_key: str | None
    correlation_id: str | None
    parent_id: int | None
    retry_of_id: int | None
    run_at: int
    max_attempts: int
    lease_seconds: int
    created_at: int
    due_at: int | None
    route: str | None
    turn_key: str | None = None
    parked_key: str | None = None
    wake_at: int | None = None

    def values(self) -> tuple[str | int | None, ...]:
        return tuple(getattr(self, column) for column in DRAFT_COLUMNS)

    def job(self, job_id: int) -> Job:
        return Job(
            id=job_id, uid=self.uid, kind=self.kind, state=self.state, lane_rank=self.lane,
            organization_id=self.organization_id, subject=self.subject, payload=self.payload, requires=self.requires,
            worker_id=self.worker_id, concurrency_key=self.concurrency_key, idempotency_key=self.idempotency_key,
            correlation_id=self.correlation_id, parent_id=self.parent_id, retry_of_id=self.retry_of_id,
            run_us=self.run_at, attempts=0, max_attempts=self.max_attempts, lapses=0,
            lease_seconds=self.lease_seconds, fence=0, owner=None, lease_us=None, report_number=0, report_reply=None,
            cancel_us=None, cancel_reason=None, result=None, error_code=None, error_category=None, error_message=None,
            retriable=None, closed_by=None, created_us=self.created_at, started_us=None, finished_us=None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a running attempt that ends its job: `state` is one of the ended states."""

    job_id: int
    fence: int
    state: str
    result: str | None = None
    error_code: str | None = None
    error_category: str | None = None
    error_message: str | None = None
    retriable: int | None = None
    closed_by: str | None = None
    owner: str | None = None
    """Who reports it, if it is a report: then only the holder's counts."""


class Statements(Protocol):
    def lock_keys(self, tx: Tx, keys: Sequence[str]) -> None:
        """Keep units that move one of these concurrency keys apart until this unit ends."""
        ...

    def turns_held(self, tx: Tx, keys: Sequence[str]) -> set[str]: ...

    def insert(self, tx: Tx, drafts: Sequence[Draft]) -> list[int | None]:
        """The new ids in order; None where the idempotency key is taken."""
        ...

    def live_routes(self, tx: Tx) -> list[str]:
        """Every route on which something claimable waits, by skipping along the index."""
        ...

    def claim(
        self,
        tx: Tx,
        *,
        owner: str,
        pairs: Sequence[tuple[str, int]],
        now: int,
        limit: int,
        unknown: Sequence[str] = (),
    ) -> list[Job]:
        """Start up to `limit` due jobs of these (route, lane) pairs, lower lanes first, then by due time, and none of
        the `unknown` kinds.
        """
        ...

    def end(self, tx: Tx, endings: Sequence[Ending], now: int) -> list[Job]:
        """Apply those endings whose fence still runs, and in the hands of their owner if they name one; the others are
        missing from the answer.
        """
        ...

    def renew(
        self, tx: Tx, held: Sequence[tuple[int, int]], now: int, owner: str | None
    ) -> list[tuple[int, int | None]]:
        """Renew leases by (id, fence), of this owner if one is named; answers (id, cancel requested at) of those that
        still run.
        """
        ...

    def report(self, tx: Tx, job_id: int, fence: int, number: int, now: int, owner: str | None) -> Job | None:
        """Count a report and renew its lease, unless fenced, counted before, or not by `owner` where one is named."""
        ...

    def promote(self, tx: Tx, key: str, now: int) -> int | None:
        """Give the turn of `key`, if it is free, to the first that waits; its id, or None."""
        ...
