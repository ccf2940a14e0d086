"""The kind of job that carries the broker's jobs, and what operator work shows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from quarterdeck.broker.agents.standing import SECRETS
from quarterdeck.broker.execution.orders import RUN
from quarterdeck.broker.work.finishing import fate, finish, returned
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.ordering import order
from quarterdeck.broker.work.payload import Carried
from quarterdeck.broker.work.recording import record
from quarterdeck.broker.work.transitions import CLAIMED
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.jobs import JobKind
from quarterdeck.kernel.jobs.job import Job
from quarterdeck.kernel.jobs.work import About, Work

LEASE_SECONDS = 30
"""Contract: broker §2. Foreign agents do not renew it."""


def kind() -> JobKind:
    return JobKind(
        RUN,
        payload=Carried,
        assign=order,
        record=record,
        finish=finish,
        unsettled=unsettled,
        lost=fate,
        returned=returned,
        lease_seconds=LEASE_SECONDS,
        capabilities=frozenset({SECRETS}),
        work=Work(title="Carry out a job about a secret", describe=describe, again=again),
    )


def unsettled(tx: Tx) -> list[int]:
    """The ledger's jobs of all that somebody holds, for the reconciler."""
    query = select(BrokerJob.ledger_id).where(
        BrokerJob.completed_at.is_(None), BrokerJob.status == CLAIMED, BrokerJob.ledger_id.is_not(None)
    )
    return [one for one in tx.execute(query).scalars() if one is not None]


def describe(tx: Tx, some: Sequence[Job]) -> Mapping[int, About]:
    query = select(BrokerJob).where(BrokerJob.ledger_id.in_([job.id for job in some]))
    return {
        one.ledger_id: About(
            RUN,
            phase=one.status,
            details={"jobId": one.uid, "jobType": one.job_type, "status": one.status},
        )
        for one in tx.scalars(query)
        if one.ledger_id is not None
    }


def again(_tx: Tx, _carried: Job) -> Job:
    """A value is given out once, and what was allowed was one execution."""
    raise Conflict(
        "A job about a secret is not done once more by hand.",
        code="broker_job_not_repeatable",
        hint="Submit the request again.",
    )
