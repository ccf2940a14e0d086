"""What the moves of a job mean for its spec, as events of the spec's own table (contract: infra §3.2, §4.6)."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from quarterdeck.infra.clouds import accounts, identities
from quarterdeck.infra.plans import plans
from quarterdeck.infra.specs import standings, statuses
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.types import DEPLOY, DESTROY, PLAN
from quarterdeck.kernel.db import Tx

Events = Mapping[str, statuses.Event]
ASKED: Events = {PLAN: "plan-asked", DEPLOY: "deploy-asked", DESTROY: "destroy-asked"}
DONE: Events = {PLAN: "plan-ended", DEPLOY: "deploy-done", DESTROY: "destroy-done"}
FAILED: Events = {PLAN: "plan-ended", DEPLOY: "deploy-failed", DESTROY: "destroy-failed"}
BEGAN: Events = {DEPLOY: "deploy-began", DESTROY: "destroy-began"}
WITHDRAWN: statuses.Event = "withdrawn"
INTERRUPTED: statuses.Event = "interrupted"


def _tell(tx: Tx, job: InfraJob, spec: Spec | None, event: statuses.Event | None, **more: Any) -> None:
    """A look for drift changes nothing of what a spec is."""
    if spec is not None and event is not None and not job.read_only:
        statuses.apply(tx, spec, event, job_id=job.id, **more)


def asked(tx: Tx, job: InfraJob, spec: Spec | None) -> None:
    _tell(tx, job, spec, ASKED.get(job.job_type))


def began(tx: Tx, job: InfraJob, spec: Spec | None) -> None:
    _tell(tx, job, spec, BEGAN.get(job.job_type))
    if spec is not None and job.job_type == DEPLOY:
        standings.began(tx, spec, job.snapshot)
    elif spec is not None and job.job_type == DESTROY:
        standings.leaving(tx, spec)


def done(tx: Tx, job: InfraJob, spec: Spec | None) -> None:
    if spec is not None and not job.read_only and job.job_type in {DEPLOY, DESTROY}:
        identity = identities.by_id(tx, job.cloud_identity_id)
        stands = job.job_type == DEPLOY
        spec.applied_identity_id = identity.id if stands and identity is not None else None
        spec.applied_account = accounts.account(identity) if stands else None
        if not stands:
            standings.gone(tx, spec)
    _estimated(tx, job, spec)
    _tell(tx, job, spec, DONE.get(job.job_type), applied_hash=job.configuration_hash)


def failed(tx: Tx, job: InfraJob, spec: Spec | None, *, orphans: bool, began: bool) -> None:
    """`began`: its runner had reported that it works; before that nothing was touched."""
    if orphans:
        _tell(tx, job, spec, INTERRUPTED, reason=job.error_message)
    else:
        _tell(tx, job, spec, FAILED.get(job.job_type) if began else WITHDRAWN)
    if spec is not None and job.job_type in {DEPLOY, DESTROY}:
        (standings.failed if orphans or began else standings.given_up)(tx, spec)


def cancelled(tx: Tx, job: InfraJob, spec: Spec | None, *, orphans: bool) -> None:
    if orphans:
        _tell(tx, job, spec, INTERRUPTED, reason=job.error_message)
    else:
        _tell(tx, job, spec, WITHDRAWN)
    if spec is not None and job.job_type in {DEPLOY, DESTROY} and job.started_at is not None:
        (standings.failed if orphans else standings.given_up)(tx, spec)


def _estimated(tx: Tx, job: InfraJob, spec: Spec | None) -> None:
    """What a month of it costs, by the newest plan of what is declared, or by what was applied."""
    if spec is None or job.read_only:
        return
    if job.job_type == DESTROY:
        spec.estimated_monthly_cost = None
        return
    planned = tx.get(InfraJob, job.plan_job_id) if job.plan_job_id is not None else job
    plan = plans.of(tx, planned) if planned is not None else None
    told = (plan.cost or {}).get("total_monthly") if plan is not None else None
    if not isinstance(told, int | float) or isinstance(told, bool) or not isfinite(told):
        return
    if job.configuration_hash == spec.configuration_hash:
        spec.estimated_monthly_cost = float(told)
