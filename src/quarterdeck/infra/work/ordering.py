"""The order of an attempt: everything that its worker needs, made when the job is claimed and kept nowhere."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from msgspec import Struct, convert

from quarterdeck.fleet.git import locators
from quarterdeck.infra.clouds import federating
from quarterdeck.infra.execution.orders import CLOUD_JOBS, RUNNER_JOBS, InfraOrder, Module, Place, SavedPlan
from quarterdeck.infra.plans import approvals, keeping, law, plans
from quarterdeck.infra.runners import lifting
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import credentials
from quarterdeck.infra.work import claiming, holding
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.types import DEPLOY, DESTROY, PLANNED_BY
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Problem
from quarterdeck.kernel.jobs.job import Job

FROZEN = ("kind", "name", "url", "commit", "path")


class Taken(Struct, frozen=True):
    """What the ledger is told of a job that a foreign runner has claimed: its order is the answer to its call."""

    job: str


def order(tx: Tx, carried: Job, server: str = "") -> InfraOrder | Taken:
    """Note who has the job, and make its order. `server` is where the server's own worker reaches it.

    Raises `Conflict` for a job that is nobody's any more (`infra_job_ended`), whose plan may not be applied any more,
    or that somebody has to agree to first.
    """
    job = claiming.taken(tx, carried)
    spec = holding.spec_of(tx, job)
    saved = _allowed(tx, job, spec)
    if claiming.foreign(carried):
        federating.cloud(tx, job)  # what cannot be taken up fails here, not in the answer to the claim
        return Taken(job.uid)
    own = claiming.holder(tx, carried) is None
    return InfraOrder(
        job=job.uid,
        job_type=job.job_type,
        module=module(tx, job, spec),
        place=Place(
            path=f"/api/jobs/{job.uid}",
            username=job.uid,
            password=credentials.issue(tx, job).reveal(),
            server=server if own else "",
        ),
        read_only=job.read_only,
        snapshot=lifting.sealed(tx, job) if job.job_type in RUNNER_JOBS else job.snapshot,
        plan=saved,
        cloud=federating.cloud(tx, job, own=own) if job.cloud_identity_id is not None else None,
    )


def _allowed(tx: Tx, job: InfraJob, spec: Spec | None) -> SavedPlan | None:
    """What was checked when the job was asked for, once more: the state may have moved on, somebody have refused."""
    if job.job_type == DESTROY:
        approvals.require(tx, job)
    if job.job_type != DEPLOY or spec is None:
        return None
    plan = tx.get(InfraJob, job.plan_job_id) if job.plan_job_id is not None else None
    approvals.require(tx, plan if plan is not None else job)
    named = plan.uid if plan is not None else job.snapshot.get(PLANNED_BY)
    if named is None:
        return None
    kept = None
    if plan is not None:
        law.require(tx, plan, spec)
        kept = plans.of(tx, plan)
    saved = keeping.handed_in(kept) if kept is not None else None
    if saved is None:  # without one the runner would plan again and apply what nobody has read
        raise Conflict(f"The plan {named} is gone.", code="plan_artefact_missing", hint="Plan again.")
    return SavedPlan(named, saved.sha256, saved.size)


def module(tx: Tx, job: InfraJob, spec: Spec | None) -> Module:
    """Where the Terraform of a job comes from, as it was frozen; the token of a private repository is the spec's."""
    if job.job_type in RUNNER_JOBS:
        return Module(kind="bundled", name=f"runner-{job.snapshot.get('cloud_provider')}")
    if job.job_type in CLOUD_JOBS:
        return Module(kind="bundled")
    frozen: Any = job.snapshot.get("module")
    if not isinstance(frozen, dict):
        raise Conflict(
            f"The job {job.uid} says nothing of its Terraform.", code="infra_module_unknown", hint="Ask for it anew."
        )
    found = convert({name: frozen[name] for name in FROZEN if frozen.get(name) is not None}, Module)
    if found.kind == "git" and spec is not None and _origin(found.url) == _origin(spec.module.get("url")):
        token = specs.token(tx, spec)
        found.token = token.reveal() if token is not None else None
    return found


def repository_token(tx: Tx, job: InfraJob) -> str | None:
    """The token of the repository that a job's module is fetched from; None where it needs none."""
    if job.spec_id is None or not isinstance(job.snapshot.get("module"), dict):
        return None
    with suppress(Problem):
        return module(tx, job, tx.get(Spec, job.spec_id)).token
    return None


def _origin(url: str | None) -> object:
    """A token goes to the host alone that it was given for, which may be another one since the job was asked for."""
    return locators.parse(url).origin if url else None
