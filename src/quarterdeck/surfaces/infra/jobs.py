"""Infrastructure jobs: asking for one, looking at it, cancelling it, doing it once more (contract: infra §1.3)."""

from __future__ import annotations

from typing import Any

from quarterdeck.access import Access
from quarterdeck.infra.plans import law
from quarterdeck.infra.specs import specs
from quarterdeck.infra.work import asking, cancelling, creating, pinning, reading, rerunning
from quarterdeck.infra.work.asking import Asked
from quarterdeck.infra.work.types import ASKED_FOR, DEPLOY, DESTROY, DESTROY_WORKER, PLAN, canonical
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.dialects import Infra
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.idempotency import once
from quarterdeck.surfaces.infra.job_shapes import shape
from quarterdeck.surfaces.infra.phrases import PHRASES
from quarterdeck.surfaces.infra.wire import jobs as wire
from quarterdeck.surfaces.shared.values import given

VIEW = "infra:jobs.view"
MISSING = (404, "infra_job_not_found")
KEY = {"Idempotency-Key": "Sent again under the same key within a week, the request makes no second job."}
REFUSED = (
    (404, "spec_not_found"), (404, "runner_not_found"), (404, "cloud_identity_not_found"), MISSING,
    (409, "infra_too_many_jobs"), (409, "infra_plan_taken"), *((409, code) for code in law.CODES),
    (409, "worker_decommissioned"), (409, "runner_takes_no_jobs"), (409, "runner_busy"), (409, "runner_without_stack"),
)  # fmt: skip


def _first(*values: Any) -> str | None:
    """The first of some names of one thing that was sent; an empty text is none."""
    return next((value for value in map(given, values) if value), None)


def _asked(tx: Tx, body: wire.JobAsk) -> Asked:
    """What a body means. Raises `Invalid` and `NotFound` (`spec_not_found`)."""
    said = given(body.job_type)
    if not said:
        raise Invalid("job_type is required", code="infra_job_type_required", field="job_type")
    job_type = canonical(said)
    if job_type not in ASKED_FOR:
        raise asking.unknown_type()
    configuration = _first(body.configuration_id, body.spec_id)
    if job_type in {PLAN, DEPLOY, DESTROY} and configuration is None:
        raise asking.missing_spec(job_type)
    snapshot = given(body.config_snapshot) or {}
    runner = snapshot.get("worker_id") or snapshot.get("runner_id")
    about_runner = job_type == DESTROY_WORKER
    return Asked(
        job_type=job_type,
        spec=specs.find(tx, configuration) if configuration is not None and not about_runner else None,
        cloud_identity_uid=_first(body.cloud_identity_id),
        assigned_worker_uid=_first(body.assigned_worker_id, body.assigned_runner_id),
        plan_job_uid=_first(body.plan_job_id),
        runner_uid=runner if about_runner and isinstance(runner, str) and runner else None,
    )


@route(
    "POST",
    "/api/jobs",
    permission="authenticated",
    narrowed="infra",
    status=201,
    headers=KEY,
    dialect=Infra(PHRASES),
    errors=(
        (400, "infra_job_type_required"), (400, "infra_job_type_unknown"), (400, "infra_configuration_required"),
        (400, "infra_runner_required"), (400, "infra_plan_not_for_this"), (400, "infra_provider_mismatch"),
        (400, "spec_identity_foreign"), (409, "spec_account_held"), (409, "cloud_identity_not_here"), *REFUSED,
    ),
)  # fmt: skip
async def create(call: Call, body: wire.JobAsk, access: Access) -> wire.JobMade:
    """Ask for a plan, an apply of it, a destruction, or the end of a runner's stack."""
    key = call.headers.get("idempotency-key")

    def make(tx: Tx) -> dict[str, Any]:
        asked = _asked(tx, body)
        asking.require_allowed(tx, access, asked.job_type)
        return {"id": creating.create(tx, asked).uid}

    def verb(tx: Tx) -> wire.JobMade:
        scope = f"{call.endpoint.method} {call.endpoint.path} {tx.principal.uid}"
        made = once(tx, scope, key, body, lambda: make(tx)) if key else make(tx)
        return wire.JobMade(job=shape(tx, reading.find(tx, made["id"])))

    return await call.write(verb)


@route("GET", "/api/cli/jobs/{id}", permission=VIEW, errors=(MISSING,))
async def show(call: Call) -> wire.Job:
    """One job."""
    return await call.read(lambda tx: shape(tx, reading.find(tx, call.path["id"])))


@route(
    "POST",
    "/api/cli/jobs/{id}/cancel",
    permission="infra:jobs.cancel",
    errors=(MISSING, (400, "infra_job_not_cancellable"), (403, "infra_job_not_yours")),
)
async def cancel(call: Call, body: wire.JobCancel, access: Access) -> wire.Done:
    """End a job that waits or runs; its runner is told to stop."""

    def verb(tx: Tx) -> wire.Done:
        job = reading.find(tx, call.path["id"])
        reading.require_canceller(tx, access, job)
        cancelling.cancel(tx, job, given(body.reason))
        return wire.Done()

    return await call.write(verb)


@route(
    "POST",
    "/api/cli/jobs/{id}/rerun",
    permission="authenticated",
    narrowed="infra",
    status=201,
    errors=(
        *REFUSED, (409, "infra_job_not_ended"), (409, "infra_rerun_needs_plan"), (409, "infra_rerun_impossible"),
        (409, "infra_rerun_outdated"),
    ),
)  # fmt: skip
async def rerun(call: Call, access: Access) -> wire.JobMade:
    """Do an ended job once more, as a new one."""

    def verb(tx: Tx) -> wire.JobMade:
        asking.require_view(tx, access)
        job = reading.find(tx, call.path["id"])
        asking.require_allowed(tx, access, job.job_type)
        return wire.JobMade(job=shape(tx, rerunning.rerun(tx, job)))

    return await call.write(verb)


@route(
    "POST",
    "/api/cli/jobs/{id}/pin",
    permission="authenticated",
    narrowed="infra",
    errors=(
        MISSING, (404, "runner_not_found"), (409, "infra_job_not_waiting"), (409, "worker_decommissioned"),
        (409, "runner_takes_no_jobs"),
    ),
)  # fmt: skip
async def pin(call: Call, body: wire.JobPin, access: Access) -> wire.JobMade:
    """Choose the runner that has to take a waiting job, or none."""
    uid = _first(body.assigned_worker_id, body.assigned_runner_id)

    def verb(tx: Tx) -> wire.JobMade:
        asking.require_view(tx, access)
        job = reading.find(tx, call.path["id"])
        asking.require_allowed(tx, access, job.job_type)
        return wire.JobMade(job=shape(tx, pinning.pin(tx, job, uid)))

    return await call.write(verb)
