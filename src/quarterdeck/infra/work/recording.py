"""What a running attempt of an enrolled worker, or of the server's own, reports (`execution.orders`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quarterdeck.infra.clouds import verifying
from quarterdeck.infra.execution.orders import PHASES
from quarterdeck.infra.plans import keeping, law, plans
from quarterdeck.infra.specs import outputs
from quarterdeck.infra.work import effects, holding, metadata
from quarterdeck.infra.work.happenings import happened
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import CLAIMED, PROCESSING, move
from quarterdeck.infra.work.types import DEPLOY, PLAN, may_have_changed
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs.job import Job
from quarterdeck.kernel.storable import storable

LONGEST = 400


def record(tx: Tx, carried: Job, kind: str, data: Any) -> Any:
    """Keep one report. Raises `Invalid` for what no worker of ours says; what a job that has ended reports, changes
    nothing.
    """
    said = _object(data)
    job = holding.carried(tx, carried.id)
    report = REPORTS.get(kind)
    if report is None:
        raise Invalid(f"There is no report {kind[:40]!r} of an infrastructure job.", code="infra_report_unknown")
    if job is None or job.completed_at is not None:
        return None
    if job.status == CLAIMED:
        begin(tx, job)
    job.told_at = job.updated_at = tx.now
    answer = report(tx, job, carried, said)
    tx.flush()
    committing(tx, f"infra.report.{kind}")
    return answer


def begin(tx: Tx, job: InfraJob) -> None:
    """The first word of whoever has it: the job runs. Its plan is held before its spec, as everywhere."""
    plan = tx.get(InfraJob, job.plan_job_id) if job.plan_job_id is not None else None
    if plan is not None:
        plans.held(tx, plan)
    move(tx, job, PROCESSING, f"{job.worker_name or 'Its runner'} works on the job.")
    effects.began(tx, job, holding.spec_of(tx, job))


def changing(tx: Tx, job: InfraJob) -> None:
    """From now on it may have changed something: its plan is used up, however that ends."""
    if job.job_type == DEPLOY and job.plan_job_id is not None:
        plan = tx.get(InfraJob, job.plan_job_id)
        if plan is not None:
            law.mark_applied(tx, plan, job)


def note(job: InfraJob, told: Mapping[str, Any]) -> None:
    """Merge what was told into the job's metadata; what does not fit any more is left out rather than failing a job."""
    try:
        job.execution_metadata = metadata.merged(job.execution_metadata, told)
    except Invalid:
        job.execution_metadata = {**job.execution_metadata, "truncated": True}


def _phase(tx: Tx, job: InfraJob, _carried: Job, said: Mapping[str, Any]) -> None:
    phase = said.get("phase")
    if phase not in PHASES:
        raise Invalid(f"There is no phase {str(phase)[:40]!r}.", code="infra_report_unknown")
    before = may_have_changed(job) and job.stage is not None
    job.stage = str(phase)
    if may_have_changed(job) and not before:
        changing(tx, job)
    note(job, {"phase": phase, "progress": said.get("progress")})
    happened(tx, job, "phase", f"The job is at {phase}.", phase=phase)


def _plan(tx: Tx, job: InfraJob, carried: Job, said: Mapping[str, Any]) -> None:
    keeping.keep(tx, job, dict(said), carried.fence)
    if job.job_type == PLAN:
        note(job, {"plan_completed": True, "plan_file_key": f"{job.uid}/terraform.plan.out"})
    job.execution_metadata = {**job.execution_metadata, "plan_summary": storable(said.get("summary"))}


def _applied(tx: Tx, job: InfraJob, _carried: Job, said: Mapping[str, Any]) -> None:
    found, cluster = _object(said.get("outputs")), _object(said.get("cluster"))
    spec = holding.spec_of(tx, job)
    if spec is not None and job.job_type == DEPLOY:
        outputs.keep(tx, spec, job.snapshot, found, cluster)
    note(job, {"outputs": found, **cluster, "apply_summary": said.get("summary")})


def _resources(tx: Tx, job: InfraJob, _carried: Job, said: Mapping[str, Any]) -> None:
    found = _object(said.get("resources"))
    verifying.found(tx, job, found)
    note(job, {"cached_resources": found})


def _stopped(tx: Tx, job: InfraJob, _carried: Job, said: Mapping[str, Any]) -> None:
    """Terraform was interrupted, or did not end well: the end that follows says the rest."""
    job.orphan_risk = job.orphan_risk or said.get("orphan_risk") is True
    note(job, {"stopped": {name: said.get(name) for name in ("phase", "reason", "state")}})
    happened(tx, job, "stopped", _text(said.get("reason")) or "Terraform was stopped.", orphanRisk=job.orphan_risk)


def _state_lost(tx: Tx, job: InfraJob, _carried: Job, said: Mapping[str, Any]) -> None:
    """What it made is in no state of ours."""
    job.orphan_risk = True
    told = {name: said.get(name) for name in ("serial", "lineage", "resources", "kept")}
    note(job, {"state_lost": told})
    happened(tx, job, "state-lost", "The state could not be written.", kept=_text(said.get("kept")) or None)


Report = Callable[[Tx, InfraJob, Job, Mapping[str, Any]], Any]
REPORTS: dict[str, Report] = {
    "phase": _phase,
    "plan": _plan,
    "applied": _applied,
    "resources": _resources,
    "stopped": _stopped,
    "state-lost": _state_lost,
}


def _object(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid("A report of an infrastructure job is an object.", code="infra_report_unknown")
    return value


def _text(value: Any) -> str:
    return str(storable(value[:LONGEST])) if isinstance(value, str) else ""
