"""Asking for an infrastructure job: what is checked, what is frozen, and how it comes into the ledger."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quarterdeck.fleet.workers import draining
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.clouds import accounts, federating
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.execution.orders import RUN, RUNNER_JOBS
from quarterdeck.infra.plans import approvals, drift, law
from quarterdeck.infra.plans import asking as asks
from quarterdeck.infra.runners import lifting, listing, standing
from quarterdeck.infra.runners.standing import DRIFT, ELSEWHERE, INFRA
from quarterdeck.infra.specs import snapshots, specs, versions
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import states
from quarterdeck.infra.work import effects, holding, identifying, reading
from quarterdeck.infra.work.actions import InfraJobAction
from quarterdeck.infra.work.asking import Asked, check
from quarterdeck.infra.work.happenings import happened, stream
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.payload import Carried
from quarterdeck.infra.work.transitions import QUEUED
from quarterdeck.infra.work.types import CONNECTION_TEST, DEPLOY, DESTROY, PLANNED_BY
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs.routes import LABEL

__all__ = ["Asked", "about_runner", "create", "label", "needed", "release"]
LOOK = f"{LABEL}{DRIFT}"
"""The word that looks for drift bear, for workers that take those alone."""
MOST_WAITING = 200
"""Live jobs of one organization: what floods the queue starves the others' jobs and the lists."""
MOST_OF_ONE = 100
"""Of those, the jobs of one person: nobody keeps colleagues from theirs."""


def create(tx: Tx, asked: Asked) -> InfraJob:
    """Put a job into the queue for the caller's organization.

    Raises `Invalid` (`asking.check`), `NotFound` for an identity, runner or plan that the caller may not use, and
    `Conflict` where the plan may not be applied, somebody has to agree first, or too much waits.
    """
    check(asked)
    key = holding.turn(spec_uid=asked.spec.uid if asked.spec is not None else None, runner_uid=asked.runner_uid)
    if key is not None:
        jobs.hold_turn(tx, key)
    if asked.spec is not None and not asked.read_only:
        drift.make_way(tx, asked.spec)
    spec = specs.locked(tx, asked.spec.id) if asked.spec is not None else None
    _require_room(tx)
    worker = listing.usable(tx, asked.assigned_worker_uid) if asked.assigned_worker_uid else None
    if worker is not None:
        draining.require_in_service(worker)
        standing.require_takes_jobs(worker, look=asked.read_only)
        lifting.require_another(worker, asked.runner_uid)
    plan = _plan(tx, asked, spec)
    identity = identifying.chosen(tx, asked, spec, plan)
    document, configuration_hash = _snapshot(tx, asked, spec, identity)
    if plan is not None:  # beside the row, which may be gone one day: this job never makes a plan of its own
        document = {**document, PLANNED_BY: plan.uid}
    state = states.find(tx, states.subject_of_spec(spec)) if spec is not None else None
    job = tx.add(
        InfraJob(
            uid=tx.ids.uid(),
            organization_id=tx.principal.acts_in,
            owner_id=tx.principal.id if tx.principal.kind == "user" else 0,
            zone_id=spec.zone_id if spec is not None else None,
            spec_id=spec.id if spec is not None else None,
            cloud_identity_id=identity.id if identity is not None else None,
            state_serial=state.serial if state is not None else None,
            state_lineage=state.lineage if state is not None else None,
            asked_approvals=0
            if asked.read_only or spec is None
            else approvals.policy(tx, asked.job_type, spec.zone_id),
            identity_print=accounts.fingerprint(tx, identity),
            job_type=asked.job_type,
            status=QUEUED,
            snapshot=document,
            configuration_hash=configuration_hash,
            subject_worker_id=listing.find(tx, asked.runner_uid).worker.id if asked.runner_uid is not None else None,
            assigned_worker_id=worker.id if worker is not None else None,
            plan_job_id=plan.id if plan is not None else None,
            rerun_of_id=asked.rerun_of.id if asked.rerun_of is not None else None,
            read_only=asked.read_only,
            execution_metadata={},
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    if asked.job_type == DEPLOY and not asked.read_only:
        approvals.require(tx, plan if plan is not None else job)
    effects.asked(tx, job, spec)
    happened(tx, job, "queued", f"The {job.job_type} job waits for a runner.")
    _audited(tx, job, asked, spec, plan, worker)
    if asked.job_type == DESTROY and approvals.needed(tx, job).missing:
        asks.ask(tx, job)
    else:
        release(tx, job)
    committing(tx, "infra.create")
    return job


def _audited(
    tx: Tx, job: InfraJob, asked: Asked, spec: Spec | None, plan: InfraJob | None, worker: Worker | None
) -> None:
    """Looks for drift that the server asks for by itself are told by what they find, the test of a connection by the
    connecting of the identity, which names it.
    """
    if tx.principal.kind == "system" or (job.job_type == CONNECTION_TEST and asked.rerun_of is None):
        return
    audit.record(
        tx,
        InfraJobAction.CREATED,
        resource_type="infra-job",
        resource_id=job.uid,
        detail={
            "jobType": job.job_type,
            "specId": spec.uid if spec is not None else None,
            "planJobId": plan.uid if plan is not None else None,
            "assignedWorkerId": worker.uid if worker is not None else None,
            "readOnly": job.read_only,
            "rerunOf": asked.rerun_of.uid if asked.rerun_of is not None else None,
        },
    )


def release(tx: Tx, job: InfraJob) -> InfraJob:
    """Let a job be claimed: put it into the ledger. A DESTROY that has to be allowed first is released by that. The
    caller holds the turn of its state. Again is a success.
    """
    if job.ledger_id is not None:
        return job
    spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
    identity = tx.get(CloudIdentity, job.cloud_identity_id) if job.cloud_identity_id is not None else None
    plan = tx.get(InfraJob, job.plan_job_id) if job.plan_job_id is not None else None
    runner = job.snapshot.get("worker_id") if job.job_type in RUNNER_JOBS else None
    words = needed(tx, job.snapshot, identity, plan, look=job.read_only) | ({about_runner(runner)} if runner else set())
    if spec is not None and versions.ever_of_repository(tx, spec) and states.holds_resources(tx, spec):
        words |= {ELSEWHERE}  # what is in its state may need providers that only the module named
    request = jobs.Enqueue(
        RUN,
        Carried(job_id=job.id),
        job.organization_id,
        subject=stream(job.uid),
        lane="background" if job.read_only else None,
        capabilities=words,
        worker_id=job.assigned_worker_id,
        concurrency_key=holding.turn(spec_uid=spec.uid if spec is not None else None, runner_uid=runner),
    )
    job.ledger_id = jobs.enqueue(tx, request).id
    tx.flush()
    return job


def needed(
    tx: Tx,
    snapshot: dict[str, Any],
    identity: CloudIdentity | None,
    plan: InfraJob | None = None,
    *,
    look: bool = False,
) -> frozenset[str]:
    """The words of a job's route: what its worker has to be able to do, of which identity it is, and whether it is a
    look for drift. Modules that
    somebody else wrote, plans that a runner made, and most identities of clouds, are nothing for the server's own
    worker.
    """
    words = {INFRA, DRIFT, LOOK} if look else {INFRA}
    if plan is not None and not plan.on_server:
        words.add(ELSEWHERE)
    module = snapshot.get("module")
    if isinstance(module, dict) and module.get("kind") == "git":
        words.add(ELSEWHERE)
    if identity is not None:
        words.add(label(identity))
        if federating.elsewhere(tx, identity):
            words.add(ELSEWHERE)
    return frozenset(words)


def about_runner(uid: str) -> str:
    """By which word a runner knows the jobs about its own stack."""
    return f"{LABEL}runner:{uid}"


def label(identity: CloudIdentity) -> str:
    """By which word a runner is confined to the jobs of an identity."""
    return f"{LABEL}{INFRA}:cloud:{identity.uid}"


def _require_room(tx: Tx) -> None:
    if reading.living(tx, tx.principal.acts_in) >= MOST_WAITING:
        raise Conflict(
            f"{MOST_WAITING} infrastructure jobs wait or run already.",
            code="infra_too_many_jobs",
            hint="Wait until some have ended, or cancel what is not needed.",
        )
    if tx.principal.kind == "user" and reading.living(tx, tx.principal.acts_in, tx.principal.id) >= MOST_OF_ONE:
        raise Conflict(
            f"{MOST_OF_ONE} infrastructure jobs of yours wait or run already.",
            code="infra_too_many_jobs",
            hint="Wait until some have ended, or cancel what is not needed.",
        )


def _plan(tx: Tx, asked: Asked, spec: Spec | None) -> InfraJob | None:
    """The PLAN job whose plan is to be applied. Raises `NotFound`, and `Conflict` where it may not be."""
    if not asked.plan_job_uid or spec is None:
        return None
    plan = reading.find(tx, asked.plan_job_uid)
    law.require(tx, plan, spec)
    taken = tx.execute(
        select(InfraJob.uid).where(InfraJob.plan_job_id == plan.id, InfraJob.completed_at.is_(None)).limit(1)
    ).scalar()
    if taken is not None:
        raise Conflict(
            f"The plan is being applied by the job {taken} already.",
            code="infra_plan_taken",
            hint="Follow that job, or cancel it first.",
        )
    return plan


def _snapshot(
    tx: Tx, asked: Asked, spec: Spec | None, identity: CloudIdentity | None
) -> tuple[dict[str, Any], str | None]:
    """What stands is looked at, and destroyed, as it was applied: what was declared since made nothing of it."""
    if spec is not None:
        made = snapshots.snapshot(tx, spec, applied=asked.read_only or asked.job_type == DESTROY)
        return {**made.document, "cloud_identity_id": identity.uid if identity is not None else None}, made.hash
    if asked.runner_uid is not None:
        return lifting.snapshot(tx, asked.job_type, asked.runner_uid), None
    return dict(asked.options), None
