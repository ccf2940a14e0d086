"""Doing a job once more, as a new one (contract: infra §4.5)."""

from __future__ import annotations

from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.execution.orders import SPEC_JOBS
from quarterdeck.infra.specs import snapshots, specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work import creating, holding
from quarterdeck.infra.work.asking import Asked
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import ENDED
from quarterdeck.infra.work.types import DEPLOY, DESTROY
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict


def rerun(tx: Tx, job: InfraJob) -> InfraJob:
    """Ask for an ended job once more: same type, snapshot and identity, no plan and no pin.

    Raises `Conflict`: `infra_job_not_ended`; `infra_rerun_needs_plan` for an apply of a plan, which is used up and was
    agreed to for itself; `infra_rerun_outdated` for one whose configuration is another one by now;
    `infra_rerun_impossible` for one whose spec or runner is gone. And what `creating.create` raises.
    """
    if job.status not in ENDED:
        raise Conflict(
            f"Job {job.uid} is {job.status} and has not ended.",
            code="infra_job_not_ended",
            hint="Wait for its end, or cancel it.",
        )
    if job.job_type == DEPLOY and job.plan_job_id is not None:
        raise Conflict(
            f"Job {job.uid} applied a plan, and a plan is applied once.",
            code="infra_rerun_needs_plan",
            hint="Make a new plan, read it, then apply that.",
        )
    spec = specs.locked(tx, job.spec_id) if job.spec_id is not None and _turned(tx, job) else None
    if job.job_type in SPEC_JOBS and spec is None:
        raise Conflict(
            f"The configuration of job {job.uid} is gone.", code="infra_rerun_impossible", hint="Nothing can be rerun."
        )
    if spec is not None and job.configuration_hash != _hash_now(tx, job, spec):
        raise Conflict(
            f"The configuration of job {job.uid} has changed since: what was asked for is not what would be done.",
            code="infra_rerun_outdated",
            hint=f"Ask for a new {job.job_type} of the configuration as it is now.",
        )
    identity = tx.get(CloudIdentity, job.cloud_identity_id) if job.cloud_identity_id is not None else None
    runner = job.snapshot.get("worker_id")
    return creating.create(
        tx,
        Asked(
            job_type=job.job_type,
            spec=spec,
            cloud_identity_uid=identity.uid if identity is not None else None,
            runner_uid=runner if spec is None and isinstance(runner, str) else None,
            read_only=job.read_only,
            options={} if spec is not None else dict(job.snapshot),
            rerun_of=job,
        ),
    )


def _hash_now(tx: Tx, job: InfraJob, spec: Spec) -> str:
    return snapshots.hash_of(tx, spec, applied=job.read_only or job.job_type == DESTROY)


def _turned(tx: Tx, job: InfraJob) -> bool:
    """Take the turn of its state before its spec is locked; false where the spec is gone."""
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    key = holding.turn(spec_uid=spec.uid) if spec is not None else None
    if key is not None:
        jobs.hold_turn(tx, key)
    return key is not None
