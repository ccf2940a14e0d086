"""The kind of job that carries infrastructure jobs, and what operator work shows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from sqlalchemy import select

from quarterdeck.infra.execution.orders import RUN, InfraOrder
from quarterdeck.infra.runners.standing import INFRA
from quarterdeck.infra.work import rerunning
from quarterdeck.infra.work.claiming import foreign
from quarterdeck.infra.work.finishing import fate, finish, late, returned
from quarterdeck.infra.work.happenings import stream
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.ordering import Taken, order, secrets
from quarterdeck.infra.work.payload import Carried
from quarterdeck.infra.work.recording import record
from quarterdeck.infra.work.transitions import HELD
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.jobs import JobKind
from quarterdeck.kernel.jobs.job import Job, Outcome
from quarterdeck.kernel.jobs.work import About, Work
from quarterdeck.kernel.logs import Logs

LEASE_SECONDS = 300
"""Foreign runners give a sign of life every half minute; without one for so long, theirs is somebody else's."""


def kind(logs: Logs, server: Callable[[], str]) -> JobKind:
    """`server` says where the server's own worker reaches the server."""
    return JobKind(
        RUN,
        payload=Carried,
        assign=partial(_assign, logs, server),
        record=record,
        finish=partial(_finish, logs),
        unsettled=unsettled,
        lost=fate,
        returned=returned,
        late=late,
        lease_seconds=LEASE_SECONDS,
        capabilities=frozenset({INFRA}),
        work=Work(title="Run an infrastructure job", describe=describe, again=again),
    )


def _assign(logs: Logs, server: Callable[[], str], tx: Tx, carried: Job) -> InfraOrder | Taken:
    """The order; what of it is secret is masked in the job's lines from now on."""
    made = order(tx, carried, server())
    if isinstance(made, InfraOrder):
        logs.mask(stream(made.job), secrets(made))
    return made


def _finish(logs: Logs, tx: Tx, carried: Job, outcome: Outcome) -> None:
    """The lines of an enrolled worker are complete with its report; a foreign runner sends its last ones after it."""
    finish(tx, carried, outcome)
    if carried.closed_by is None and not foreign(carried) and carried.subject is not None:
        name = carried.subject

        def complete() -> None:
            logs.close_later(name)

        tx.after_commit(complete)


def unsettled(tx: Tx) -> list[int]:
    """The ledger's jobs of all that somebody holds, for the reconciler."""
    query = select(InfraJob.ledger_id).where(
        InfraJob.completed_at.is_(None), InfraJob.status.in_(HELD), InfraJob.ledger_id.is_not(None)
    )
    return [one for one in tx.execute(query).scalars() if one is not None]


def describe(tx: Tx, some: Sequence[Job]) -> Mapping[int, About]:
    query = select(InfraJob).where(InfraJob.ledger_id.in_([job.id for job in some]))
    return {
        one.ledger_id: About(
            jobs.kinds.title(RUN),
            phase=one.stage,
            details={"jobId": one.uid, "jobType": one.job_type, "status": one.status, "orphanRisk": one.orphan_risk},
        )
        for one in tx.scalars(query)
        if one.ledger_id is not None
    }


def again(tx: Tx, carried: Job) -> Job:
    """A job is rerun as a new one, with what is checked there. Raises `Conflict` as `rerunning.rerun` does."""
    job = tx.first(select(InfraJob).where(InfraJob.ledger_id == carried.id))
    if job is None:
        raise Conflict("Its infrastructure job is gone.", code="infra_rerun_impossible", hint="Ask for a new one.")
    fresh = rerunning.rerun(tx, job)
    if fresh.ledger_id is None:
        raise Conflict(
            "The job has to be allowed first.", code="approvals_missing", hint="Ask somebody to agree to it."
        )
    return jobs.get(tx, fresh.ledger_id)
