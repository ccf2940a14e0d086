"""The tables of the ledger.

Some columns of `jobs` are NULL unless the job is live, so that small partial indexes match bound parameters however
many finished rows there are: `due_at` and `route` (claimable), `lease_until` (running), `turn_key` (holds or heads its
concurrency key), `parked_key` (waits behind the holder), `wake_at` (parked until its time). `finished_at` is NULL until
the job has ended.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId, Identified, Instant

_UNENDED = text("finished_at IS NULL")
MISSED = "finished_at IS NOT NULL AND state <> 'succeeded'"
"""The condition of the index of what did not end well, in the words that a query for it has to use."""
_MISSED = text(MISSED)


def _live(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    condition = text(f"{where} IS NOT NULL")
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


class JobRow(Identified, Base):
    """One unit of work. Written by the statements in `sqlite.py` and `postgresql.py` alone."""

    __tablename__ = "jobs"

    kind: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(20))
    lane: Mapped[int]
    organization_id: Mapped[int | None] = mapped_column(BigInteger)
    subject: Mapped[str | None] = mapped_column(String(120))
    payload: Mapped[str] = mapped_column(Text)
    requires: Mapped[str] = mapped_column(String(400))
    worker_id: Mapped[int | None] = mapped_column(BigInteger)
    concurrency_key: Mapped[str | None] = mapped_column(String(200))
    idempotency_key: Mapped[str | None] = mapped_column(String(240))
    correlation_id: Mapped[str | None] = mapped_column(String(120))
    parent_id: Mapped[int | None] = mapped_column(BigInteger)
    retry_of_id: Mapped[int | None] = mapped_column(BigInteger)
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int]
    lapses: Mapped[int] = mapped_column(default=0)
    lease_seconds: Mapped[int]
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    owner: Mapped[str | None] = mapped_column(String(120))

    due_at: Mapped[datetime | None]
    route: Mapped[str | None] = mapped_column(String(400))
    lease_until: Mapped[datetime | None]
    turn_key: Mapped[str | None] = mapped_column(String(200))
    parked_key: Mapped[str | None] = mapped_column(String(200))
    wake_at: Mapped[datetime | None]

    report_number: Mapped[int] = mapped_column(default=0)
    report_reply: Mapped[str | None] = mapped_column(Text)
    cancel_requested_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(Text)
    result: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(String(120))
    error_category: Mapped[str | None] = mapped_column(String(20))
    error_message: Mapped[str | None] = mapped_column(Text)
    retriable: Mapped[int | None]
    closed_by: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        _live("ix_jobs_claim", "route", "lane", "due_at", "id", where="due_at"),
        _live("ix_jobs_lease", "lease_until", where="lease_until"),
        _live("uq_jobs_turn", "turn_key", where="turn_key", unique=True),
        _live("ix_jobs_parked", "parked_key", "lane", "run_at", "id", where="parked_key"),
        _live("ix_jobs_wake", "wake_at", where="wake_at"),
        _live("uq_jobs_idempotency", "kind", "idempotency_key", where="idempotency_key", unique=True),
        _live("ix_jobs_subject", "subject", "id", where="subject"),
        _live("ix_jobs_finished", "finished_at", where="finished_at"),
        Index("ix_jobs_unended", "organization_id", "kind", sqlite_where=_UNENDED, postgresql_where=_UNENDED),
        Index("ix_jobs_organization_id", "organization_id", "id"),
        Index("ix_jobs_missed", "organization_id", "state", "id", sqlite_where=_MISSED, postgresql_where=_MISSED),
        {"postgresql_with": {"fillfactor": 85}, "sqlite_autoincrement": True},
    )


class JobAttempt(Base):
    """An attempt that did not end its job: it lapsed, was handed back, or failed with more attempts to come."""

    __tablename__ = "job_attempts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    fence: Mapped[int] = mapped_column(BigInteger)
    owner: Mapped[str | None] = mapped_column(String(120))
    outcome: Mapped[str] = mapped_column(String(20))
    error_code: Mapped[str | None] = mapped_column(String(120))
    error_message: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("job_id", "fence"),)


class JobSchedule(Identified, Base):
    """When a kind of job is due, again and again. `next_due_at` is NULL while disabled."""

    __tablename__ = "job_schedules"

    name: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(80))
    payload: Mapped[str] = mapped_column(Text)
    organization_id: Mapped[int | None] = mapped_column(BigInteger)
    subject: Mapped[str | None] = mapped_column(String(120))
    cron: Mapped[str | None] = mapped_column(String(120))
    every_seconds: Mapped[int | None]
    timezone: Mapped[str] = mapped_column(String(80), default="UTC")
    enabled: Mapped[bool] = mapped_column(default=True)
    next_due_at: Mapped[datetime | None]
    last_due_at: Mapped[datetime | None]
    options: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (_live("ix_job_schedules_due", "next_due_at", where="next_due_at"),)


class JobScheduleRun(Base):
    """A due time that has fired: unique, so that it fires once on however many replicas."""

    __tablename__ = "job_schedule_runs"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("job_schedules.id", ondelete="CASCADE"))
    due_at: Mapped[datetime]
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    fired_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("schedule_id", "due_at"),)
