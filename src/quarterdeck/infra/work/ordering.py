"""The order of an attempt: everything that its worker needs, made when the job is claimed and kept nowhere."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from msgspec import Struct, convert
from sqlalchemy import select

from quarterdeck.fleet.git import locators
from quarterdeck.infra.clouds import binding, federating, identities
from quarterdeck.infra.execution.orders import CLOUD_JOBS, RUN, RUNNER_JOBS, InfraOrder, Module, Place, SavedPlan
from quarterdeck.infra.plans import approvals, keeping, law, plans
from quarterdeck.infra.runners import lifting
from quarterdeck.infra.runners.model import Runner
from quarterdeck.infra.runners.standing import CLOUD_HOSTED
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import credentials
from quarterdeck.infra.work import claiming, holding
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.types import DEPLOY, DESTROY, PLANNED_BY
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Problem
from quarterdeck.kernel.jobs.job import Job

MOST_RUNNING = 10_000
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
    own = claiming.own(carried)
    saved = _allowed(tx, job, spec, carried)
    if claiming.foreign(carried):
        federating.cloud(tx, job)  # what cannot be taken up fails here, not in the answer to the claim
        return Taken(job.uid)
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


def secrets(made: InfraOrder) -> list[str]:
    """What the lines of an attempt may not show."""
    token = made.cloud.subject_token if made.cloud is not None else ""
    hidden = (made.place.password, made.module.token, token, made.snapshot.get("worker_token"))
    return [one for one in hidden if one]


def secrets_of_live(tx: Tx) -> list[tuple[str, list[str]]]:
    """As much of the same as can be opened again, for every job that a worker of the ledger runs, by its uid: for a
    server that starts. What was drawn for an attempt (the password of its state, the token of a runner, that for a
    cloud) is kept as a hash at most: its worker masks that before it sends a line.
    """
    found: list[tuple[str, list[str]]] = []
    running = jobs.list_jobs(tx, jobs.Filter(kind=RUN, states=(jobs.State.RUNNING,), limit=MOST_RUNNING))
    for carried in running:
        job = tx.first(select(InfraJob).where(InfraJob.ledger_id == carried.id))
        if job is None or claiming.foreign(carried):
            continue
        with suppress(Problem):  # an address that is none: a start does not fail for it
            spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
            token = module(tx, job, spec).token
            if token:
                found.append((job.uid, [token]))
    return found


def _allowed(tx: Tx, job: InfraJob, spec: Spec | None, carried: Job) -> SavedPlan | None:
    """What was checked when the job was asked for, once more: the state may have moved on, somebody have refused."""
    if spec is not None:
        binding.require(identities.by_id(tx, job.cloud_identity_id), spec.zone_id)
    if job.job_type == DESTROY:
        approvals.require(tx, job)
        law.refused(law.same_identity(tx, job) or law.GOOD)
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
        if plan.cloud_identity_id != job.cloud_identity_id:
            law.refused(law.other_identity(plan))
        kept = plans.of(tx, plan)
    saved = keeping.handed_in(kept) if kept is not None else None
    if saved is None:  # without one the runner would plan again and apply what nobody has read
        raise Conflict(f"The plan {named} is gone.", code="plan_artefact_missing", hint="Plan again.")
    if plan is not None and not plan.on_server:
        _require_vouched(tx, plan, carried)
    return SavedPlan(named, saved.sha256, saved.size, (kept.reviewed if kept is not None else None) or "")


def _require_vouched(tx: Tx, plan: InfraJob, carried: Job) -> None:
    """Raise `Conflict` (`infra_needs_runner`) where whoever has taken the apply may not take a plan that a runner made:
    it carries its own configuration, which would run there whatever somebody has written into it. The server's own
    worker takes none; nor do foreign runners that work for all, which do not compare, that of a runner of one
    organization alone.
    """
    worker = claiming.holder(tx, carried)
    shared = worker is not None and claiming.foreign(carried) and _for_all(tx, worker.id)
    if worker is None or (shared and not _for_all(tx, plan.worker_id)):
        who = worker.name if worker is not None else "the server's own worker"
        raise Conflict(
            f"The plan {plan.uid} was made by the runner {plan.worker_name}, and {who} applies no plan of its. "
            "Pin the apply to that runner, or plan again.",
            code="infra_needs_runner",
        )


def _for_all(tx: Tx, worker_id: int | None) -> bool:
    found = tx.first(select(Runner).where(Runner.worker_id == worker_id)) if worker_id is not None else None
    return found is not None and found.mode == CLOUD_HOSTED


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
