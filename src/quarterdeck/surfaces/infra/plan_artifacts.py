"""The saved plan of a PLAN job: handed in by the attempt that made it, given out to whoever applies it (contract: infra
§3). Foreign runners come by their headers, the Terraform of enrolled workers by the credential of its job.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from litestar.response import Stream

from quarterdeck.infra.artefacts.artefacts import LARGEST, Artefacts, Kept, missing
from quarterdeck.infra.plans import keeping, plans
from quarterdeck.infra.runners.authenticating import caller
from quarterdeck.infra.runners.standing import owner
from quarterdeck.infra.states import credentials
from quarterdeck.infra.states.credentials import Attempt
from quarterdeck.infra.work import downloading, reporting
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.surfaces.infra.job_callers import attempt, shown
from quarterdeck.surfaces.infra.jobs import MISSING
from quarterdeck.surfaces.infra.large_bodies import BODIES
from quarterdeck.surfaces.infra.runner_calls import UNKNOWN
from quarterdeck.surfaces.infra.runner_jobs import NOT_HELD, of_reach
from quarterdeck.surfaces.infra.wire import runner_jobs as wire

CALLERS = ("runner", "job")
NAME = "terraform.plan.out"
GONE = (401, "infra_credential_invalid")
UPLOADS = Rate(30, 60)
OPTIONS: dict[str, Any] = {
    "permission": "authenticated",
    "callers": CALLERS,
    "each": UPLOADS,
    "status": 201,
    "raw_body": True,
    "body_limit": LARGEST,
    "place": BODIES.place("id", LARGEST),
    "errors": (
        *UNKNOWN, GONE, MISSING, NOT_HELD, (400, "artefact_empty"), (403, "plan_not_asked"),
        (413, "payload_too_large"), (503, "artefact_store_unavailable"),
    ),
}  # fmt: skip


@route("POST", "/api/jobs/{id}/plan-artifact", **OPTIONS)
async def post(call: Call, artefacts: Artefacts) -> wire.ArtefactKey:
    """Hand in the saved plan. Again, it takes the place of the one before."""
    return await _take_in(call, artefacts)


@route("PUT", "/api/jobs/{id}/plan-artifact", **OPTIONS)
async def put(call: Call, artefacts: Artefacts) -> wire.ArtefactKey:
    """The same."""
    return await _take_in(call, artefacts)


async def _take_in(call: Call, artefacts: Artefacts) -> wire.ArtefactKey:
    await keeping.take_in(call.service("db"), artefacts, lambda tx: _holder(tx, call), call.request.stream())
    return wire.ArtefactKey(key=f"{call.path['id']}/{NAME}")


@route(
    "GET",
    "/api/jobs/{id}/plan-artifact",
    permission="authenticated",
    callers=CALLERS,
    errors=(*UNKNOWN, GONE, (404, "artefact_missing"), (409, "artefact_damaged")),
)
async def give(call: Call, artefacts: Artefacts) -> Stream:
    """The saved plan, byte for byte as it was handed in."""
    kept, by, fence = await call.read(_readable, call)
    if downloading.untold(by, "saved-plan", fence):
        await call.write(downloading.tell, by.id, "saved-plan", fence)
    pieces: AsyncIterator[bytes] = await artefacts.give(kept)
    headers = {"content-disposition": f'attachment; filename="{NAME}"', "content-length": str(kept.size)}
    return Stream(pieces, media_type="application/octet-stream", headers=headers)


def _holder(tx: Tx, call: Call) -> Attempt:
    """The attempt that calls, as it is now. Raises `NotFound`, and `Conflict` (`infra_job_not_held`)."""
    if _of_job(call):
        return attempt(tx, call)
    worker, runner = caller(tx)
    job = of_reach(tx, call.path["id"], worker, runner)
    fence = credentials.running(tx, job)
    if fence is None or job.ledger_id is None or jobs.get(tx, job.ledger_id).owner != owner(worker):
        raise reporting.not_held(job)
    return Attempt(job, fence)


def _readable(tx: Tx, call: Call) -> tuple[Kept, InfraJob, int | None]:
    """Of an attempt, its own plan and the one that it applies; of a runner, those of its own jobs. Raises `NotFound`
    (`artefact_missing`). Answers for which job, and which attempt of it, besides.
    """
    uid = call.path["id"]
    if _of_job(call):
        holder = credentials.holder(tx, *shown(call.headers["authorization"]))
        return keeping.readable(tx, holder, uid), holder.job, holder.fence
    worker, runner = caller(tx)
    job = of_reach(tx, uid, worker, runner)
    plan = plans.of(tx, job) if reporting.readable(tx, job, worker) else None
    kept = keeping.handed_in(plan) if plan is not None else None
    if kept is None:
        raise missing()
    by = reporting.reader(tx, job, worker) or job
    return kept, by, credentials.running(tx, by)


def _of_job(call: Call) -> bool:
    """Whether the credential of a job was shown, rather than that of a runner."""
    return (call.principal.credential or "").startswith("job:")
