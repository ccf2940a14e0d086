"""What a foreign runner may do to registrations: its own, and that of a runner whose stack it has just changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners import idle, leaving, lifting, metadata
from quarterdeck.infra.runners.actions import RunnerAction, note
from quarterdeck.infra.runners.authenticating import caller
from quarterdeck.infra.runners.model import Runner
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work import ordering
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.types import DEPLOY_WORKER, DESTROY_WORKER, UPDATE_WORKER
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound

BEGUN = ("CLAIMED", "PROCESSING", "SUCCESS")


def replace_metadata(tx: Tx, uid: str, said: Mapping[str, Any]) -> None:
    """Keep what is said instead of what was. Raises `NotFound` for a runner that is not the caller and that the caller
    has put up or moved by no job, and `Invalid`.
    """
    kept = metadata.kept(said)
    worker, _ = caller(tx)
    row = tx.session.execute(
        select(Worker, Runner).join(Runner, Runner.worker_id == Worker.id).where(Worker.uid == uid)
    ).first()
    if row is None or row[0].revoked_at is not None:
        raise _missing()
    job = None if uid == worker.uid else _by_job(tx, worker, row[0], DEPLOY_WORKER, UPDATE_WORKER)
    if job is None and uid != worker.uid:
        raise _missing()
    tx.lock(idle.key(uid))
    tx.session.refresh(row[1])
    made = lifting.stack_of(row[1])
    if made or job is None:  # how its stack was made is known here: a runner does not decide that about itself
        kept.pop(lifting.STACK, None)
    row[1].runner_metadata = {**kept, **({lifting.STACK: made} if made else {})}
    if job is not None:
        note(tx, row[0], RunnerAction.METADATA_REPLACED, job=job.uid)


def remove(tx: Tx, uid: str) -> None:
    """Take back the caller's own registration. About a runner whose stack the caller takes down, or has taken down, it
    is only heard, and about the caller while a job changes its stack: what comes of the runner is decided by the job.
    Raises `NotFound` for any other.
    """
    worker, _ = caller(tx)
    about = tx.first(select(Worker).where(Worker.uid == uid))
    if about is not None and _by_job(tx, worker, about, DESTROY_WORKER) is not None:
        return
    if uid != worker.uid:
        raise _missing()
    tx.lock(idle.key(uid))
    if idle.under_way(tx, worker) is None:
        leaving.remove(tx, worker)


def git_token(tx: Tx, job: InfraJob, worker: Worker) -> str | None:
    """The token of the repository that a job's module is fetched from, for whoever holds the job; None where it needs
    none. That it was read is told.
    """
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    if spec is None:
        return None
    token = ordering.module(tx, job, spec).token
    if token is not None:
        note(tx, worker, RunnerAction.GIT_TOKEN_READ, job=job.uid)
    return token


def _by_job(tx: Tx, worker: Worker, about: Worker, *types: str) -> InfraJob | None:
    """The newest job of a worker by which it changes, or has changed, the stack of another."""
    mine = (InfraJob.worker_id == worker.id, InfraJob.job_type.in_(types), InfraJob.status.in_(BEGUN))
    found = select(InfraJob).where(InfraJob.subject_worker_id == about.id, *mine)
    return tx.first(found.order_by(InfraJob.id.desc()).limit(1))


def _missing() -> NotFound:
    return NotFound("Worker not found", code="runner_not_found", hint="See the id that the runner was registered with.")
