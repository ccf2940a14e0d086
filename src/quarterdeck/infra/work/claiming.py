"""Who gets a job: foreign runners ask for one, the ledger's own workers are given them (contract: infra §3.1)."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.runners import standing
from quarterdeck.infra.runners.model import Runner
from quarterdeck.infra.runners.standing import CAPABILITIES, CLOUD_HOSTED, INFRA, owner
from quarterdeck.infra.states import states
from quarterdeck.infra.work import holding
from quarterdeck.infra.work.creating import LOOK, about_runner, label
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import CLAIMED, HELD, QUEUED, move
from quarterdeck.infra.work.types import PLAN
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs.job import Job, Lane
from quarterdeck.kernel.jobs.ledger import waiting
from quarterdeck.kernel.jobs.recovery import held_by

LANES: tuple[Lane, ...] = ("urgent", "normal", "background")
MOST_HELD = 16
"""Jobs that one foreign runner holds at a time."""
TRIES = 5
"""Jobs whose orders cannot be made that end in one claim before it answers that there is none."""
OWN = "server"
"""What the server's own worker is called."""


def claim(tx: Tx, worker: Worker, runner: Runner) -> InfraJob | None:
    """Start the next job for a foreign runner, which holds it from then on: first those that are pinned to it, then
    open ones, the oldest first. None when there is none, or the runner takes no more.
    """
    if not _takes(tx, worker):
        return None
    for claimant in _claimants(tx, worker, runner):
        for _ in range(TRIES):
            taken = jobs.claim(tx, claimant)
            if taken:
                return holding.carried(tx, taken[0].job.id)
            if not claimant.usable(waiting(tx)):
                break
    return None


def waits(tx: Tx, worker: Worker, runner: Runner) -> bool:
    """Whether a claim could get something: a read, so that runners that ask in vain write nothing."""
    found = waiting(tx)
    return bool(found) and _takes(tx, worker) and any(one.usable(found) for one in _claimants(tx, worker, runner))


def _takes(tx: Tx, worker: Worker) -> bool:
    if worker.revoked_at is not None or worker.drain_requested_at is not None:
        return False
    return len(held_by(tx, owner(worker))) < MOST_HELD


def _claimants(tx: Tx, worker: Worker, runner: Runner) -> list[jobs.Claimant]:
    return [
        jobs.Claimant(
            owner(worker),
            CAPABILITIES,
            LANES,
            1,
            worker.id,
            frozenset({INFRA}),
            worker.organization_id,
            confined=confined(tx, runner),
            barred=frozenset({about_runner(worker.uid)}),  # whoever takes itself down does not end it
            for_all=runner.mode == CLOUD_HOSTED,
            only_pinned=only_pinned,
        )
        for only_pinned in (True, False)
    ]


def confined(tx: Tx, runner: Runner | None) -> frozenset[str]:
    """A runner of one cloud identity takes jobs of that one alone, and what is pinned to it."""
    if runner is None or runner.cloud_identity_id is None:
        return frozenset()
    identity = tx.get(CloudIdentity, runner.cloud_identity_id)
    return frozenset() if identity is None else frozenset({label(identity)})


def confined_worker(tx: Tx, worker: Worker) -> frozenset[str]:
    """The same for an enrolled worker, which the ledger gives work to, and to looks for drift where it takes those
    alone; other work of it is not confined.
    """
    words = confined(tx, tx.first(select(Runner).where(Runner.worker_id == worker.id)))
    row = tx.get(Worker, worker.id)  # what it has offered by its hello, which came after `worker` was read
    return words | {LOOK} if row is not None and standing.looks_only(row) else words


def taken(tx: Tx, carried: Job) -> InfraJob:
    """Note who has got a job that the ledger has just given away. Raises `Conflict` (`infra_job_ended`) where it is
    nobody's any more.
    """
    job = holding.carried(tx, carried.id)
    if job is not None and job.status in HELD:  # its return into the queue could not be noted
        move(tx, job, QUEUED, "The attempt before is over.")
    if job is None or job.status != QUEUED:
        raise Conflict("This job has ended.", code="infra_job_ended", hint="Nothing is left to do.")
    worker = holder(tx, carried)
    move(tx, job, CLAIMED, f"{worker.name if worker is not None else 'The server itself'} has taken the job.")
    job.worker_id, job.on_server = worker.id if worker is not None else None, own(carried)
    job.worker_name = worker.name if worker is not None else OWN
    if job.job_type == PLAN and job.spec_id is not None:  # this is what its attempt can read, whatever comes later
        state = states.find(tx, states.subject_of(tx, job))
        job.state_serial, job.state_lineage = (state.serial, state.lineage) if state is not None else (None, None)
    tx.flush()
    committing(tx, "infra.claim")
    return job


def own(carried: Job) -> bool:
    """Whether the server's own worker has it."""
    return not carried.owner or carried.owner.startswith("process:")


def holder(tx: Tx, carried: Job) -> Worker | None:
    """The worker behind a ledger job's owner; None for the server's own."""
    _, _, uid = (carried.owner or "").partition(":")
    if own(carried):
        return None
    return tx.first(select(Worker).where(Worker.uid == uid))


def foreign(carried: Job) -> bool:
    """Whether a foreign runner has it, which speaks the documented calls."""
    return (carried.owner or "").startswith("runner:")
