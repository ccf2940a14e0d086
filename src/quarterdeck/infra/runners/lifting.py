"""What jobs do to the stacks of runners: putting one up, moving it to another release, taking it down (contract: infra
§5.5). A token goes into the order when the job is claimed, and is kept nowhere.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quarterdeck.fleet.workers.enrolment import digest
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners import idle, leaving, listing, releases
from quarterdeck.infra.runners.actions import RunnerAction, note
from quarterdeck.infra.runners.authenticating import new_token
from quarterdeck.infra.runners.model import Runner
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.types import DEPLOY_WORKER, DESTROY_WORKER, UPDATE_WORKER
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.notify.door import Door

STACK = "deploy_config"
"""Under which name the metadata of a runner says how its stack is made."""
KEPT = ("region", "cloud_provider", "image_tag", "trellis_url", "cpu", "memory", "image_repository")
CPU, MEMORY = 512, 1024
"""Shares of a core in thousandths of 1024, and MiB: what a runner's container is given."""
LATEST = "latest"
PROVIDERS = ("aws",)
"""Clouds that there is a template of runners for."""


def stack(tx: Tx, region: str, provider: str) -> dict[str, Any]:
    """How a new stack is made. Raises `Invalid` (`runner_template_missing`)."""
    if provider not in PROVIDERS:
        raise Invalid(
            f"There is no template for runners in {provider}.",
            code="runner_template_missing",
            hint=f"Choose a cloud identity of {', '.join(PROVIDERS)}, or start a runner yourself and register it.",
            field="cloud_identity_id",
        )
    newest = releases.newest(tx)
    return {
        "region": region,
        "cloud_provider": provider,
        "image_tag": LATEST if newest is None else newest.version,
        "trellis_url": tx.part(Door).base,
        "cpu": CPU,
        "memory": MEMORY,
        "image_repository": "",
    }


def snapshot(tx: Tx, job_type: str, uid: str) -> dict[str, Any]:
    """What a job that does this to a runner works from, without its token. Raises `NotFound` (`runner_not_found`),
    `Forbidden` (`runner_of_others`), and `Conflict`: `runner_without_stack`, `no_release`, `runner_busy` where another
    such job waits or runs.
    """
    worker = leaving.require_own(tx, uid)
    idle.require(tx, worker)
    seen = listing.find(tx, uid)
    made = stack_of(seen.runner)
    if seen.runner is None or not seen.foreign or not made:
        raise Conflict(
            f"The runner {worker.name} has no stack that was put up from here.",
            code="runner_without_stack",
            hint="Change it where it runs; to be rid of its registration, remove it.",
        )
    if job_type == UPDATE_WORKER:
        newest = releases.newest(tx)
        if newest is None:
            raise Conflict(
                "No release of the runner has been published.", code="no_release", hint="Publish one, then try again."
            )
        made = {**made, "image_tag": newest.version}
    return {
        "worker_id": worker.uid,
        "runner_id": worker.uid,
        "worker_name": worker.name,
        "runner_name": worker.name,
        **{name: made.get(name) for name in KEPT},
        "module": {"kind": "bundled", "name": f"runner-{made.get('cloud_provider')}"},
    }


def require_another(worker: Worker, uid: str | None) -> None:
    """Raise `Conflict` (`runner_itself`) where the job about the stack of a runner is to be done by that runner: it
    would end in the middle of it.
    """
    if worker.uid == uid:
        raise Conflict(
            f"The runner {worker.name} cannot change its own stack.",
            code="runner_itself",
            hint="Pin the job to another runner, or to none.",
        )


def sealed(tx: Tx, job: InfraJob) -> dict[str, Any]:
    """The snapshot of a job as its order carries it, made when it is claimed: with another token for the runner where
    its stack needs one. A stack that is put up has had none; one that is moved keeps its own until that has succeeded.
    """
    found = target(tx, job) if job.job_type in {DEPLOY_WORKER, UPDATE_WORKER} else None
    if found is None:
        return dict(job.snapshot)
    token, runner = new_token(tx), found[1]
    if job.job_type == DEPLOY_WORKER:
        runner.token_hash = digest(token.reveal())
    else:
        runner.pending_token_hash, runner.pending_job_id = digest(token.reveal()), job.id
    tx.flush()
    note(tx, found[0], RunnerAction.TOKEN_ISSUED, job=job.uid, jobType=job.job_type)
    return {**job.snapshot, "worker_token": token.reveal(), "runner_token": token.reveal()}


def ended(tx: Tx, job: InfraJob, *, succeeded: bool) -> None:
    """What follows for the runner when an attempt to change its stack has ended, whether the job was cancelled
    meanwhile or not: what counts is how its stack stands now. Called once, in the unit that ends it.
    """
    found = target(tx, job)
    if found is None:
        return
    worker, runner = found
    if job.job_type == UPDATE_WORKER and runner.pending_job_id == job.id:
        if succeeded and runner.pending_token_hash is not None:
            runner.token_hash = runner.pending_token_hash
        runner.pending_token_hash, runner.pending_job_id = None, None
    if not succeeded:
        return
    if job.job_type == DESTROY_WORKER:
        leaving.forget(tx, worker)
        return
    made = {name: job.snapshot.get(name) for name in KEPT}
    runner.runner_metadata = {**runner.runner_metadata, STACK: made}
    note(tx, worker, RunnerAction.LIFTED, job=job.uid, jobType=job.job_type, imageTag=made["image_tag"])


def target(tx: Tx, job: InfraJob) -> tuple[Worker, Runner] | None:
    """The runner that a job is about, held still; None where there is none, or it was removed meanwhile."""
    worker = tx.get(Worker, job.subject_worker_id) if job.subject_worker_id is not None else None
    if worker is None:
        return None
    tx.lock(idle.key(worker.uid))
    row = tx.session.execute(
        select(Worker, Runner)
        .join(Runner, Runner.worker_id == Worker.id)
        .where(Worker.id == worker.id, Worker.revoked_at.is_(None))
        .execution_options(populate_existing=True)
    ).first()
    return None if row is None else (row[0], row[1])


def stack_of(runner: Runner | None) -> dict[str, Any]:
    """How its stack was made; empty where nobody put one up from here."""
    made = {} if runner is None else runner.runner_metadata.get(STACK)
    return made if isinstance(made, dict) else {}
