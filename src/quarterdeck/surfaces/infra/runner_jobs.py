"""What foreign runners ask and tell of jobs (contract: infra §3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.clouds import federating
from quarterdeck.infra.execution.orders import Cloud
from quarterdeck.infra.runners import beating, lifting
from quarterdeck.infra.runners.authenticating import caller
from quarterdeck.infra.runners.model import Runner
from quarterdeck.infra.runners.standing import CLOUD_HOSTED, owner
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work import claiming, holding, lines, reading, reporting
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.logs import Logs
from quarterdeck.surfaces.infra import job_shapes
from quarterdeck.surfaces.infra.runner_calls import RUNNER, UNKNOWN
from quarterdeck.surfaces.infra.wire import runner_jobs as wire
from quarterdeck.surfaces.shared.values import given

VIEW = "infra:jobs.view"
MISSING = (404, "infra_job_not_found")
NOT_HELD = (409, "infra_job_not_held")
CLAIMS = Rate(120, 60)
"""Claims of one runner in a minute; six are usual when it is idle."""
REPORTS = Rate(600, 60)
CHUNKS = Rate(900, 60)
"""Chunks of lines of one runner in a minute; a job sends at most three every two seconds, and whole ones at once."""
STATUS_LIMIT, CHUNK_LIMIT = 2 << 20, 4 << 20
"""Bytes of a report and of a chunk of lines as JSON."""
FRESH = timedelta(seconds=15)
"""Who asks in vain is noted as alive no more often than this."""


@route("POST", "/api/jobs/claim", permission="authenticated", callers=RUNNER, each=CLAIMS, errors=UNKNOWN)
async def claim(call: Call) -> wire.Claimed:
    """Take the next job; `job` is null when there is none. It counts as a sign of life."""

    def look(tx: Tx) -> bool:
        worker, runner = caller(tx)
        known = worker.last_seen_at is not None and tx.now - worker.last_seen_at < FRESH
        return not known or claiming.waits(tx, worker, runner)

    if not await call.read(look):
        return wire.Claimed(job=None)
    return await call.write(_claimed)


def _claimed(tx: Tx) -> wire.Claimed:
    worker, runner = caller(tx)
    beating.beat(tx, worker, runner)
    job = claiming.claim(tx, worker, runner)
    if job is None:
        return wire.Claimed(job=None)
    sealed = lifting.sealed(tx, job)
    cloud = None if job.cloud_identity_id is None else _identity(federating.cloud(tx, job, own=False))
    tx.flush()
    return wire.Claimed(job=job_shapes.job(tx, job) | {"config_snapshot": sealed}, cloud_identity=cloud)


def _identity(cloud: Cloud) -> wire.CloudIdentity:
    return wire.CloudIdentity(**{name: getattr(cloud, name) for name in wire.CloudIdentity.__struct_fields__})


@route(
    "PUT",
    "/api/jobs/{id}/status",
    permission="authenticated",
    callers=RUNNER,
    each=REPORTS,
    body_limit=STATUS_LIMIT,
    errors=(*UNKNOWN, MISSING, NOT_HELD, (400, "infra_status_required"), (400, "infra_status_unknown")),
)
async def report(call: Call, body: wire.JobStatus) -> wire.Heard:
    """Say how a job stands. What comes after its end changes nothing: `applied` is false."""

    def verb(tx: Tx) -> wire.Heard:
        worker, runner = caller(tx)
        status = given(body.status)
        reporting.check(status)
        job = _of_reach(tx, call.path["id"], worker, runner)
        message, told = given(body.error_message), given(body.execution_metadata)
        return wire.Heard(applied=reporting.report(tx, job, owner(worker), status, message, told))

    return await call.write(verb)


class After(Struct, kw_only=True):
    after: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


@route(
    "POST",
    "/api/jobs/{id}/logs",
    permission="authenticated",
    callers=RUNNER,
    each=CHUNKS,
    status=201,
    body_limit=CHUNK_LIMIT,
    errors=(*UNKNOWN, MISSING, NOT_HELD, (400, "infra_log_chunk_required")),
)
async def write_lines(call: Call, body: wire.LogChunk, logs: Logs) -> wire.Heard:
    """Lines of a job of the caller's, which may come after its end."""
    text, channel = lines.chunk(given(body.log_chunk), given(body.stream_type))

    def room(tx: Tx) -> tuple[str, str]:
        worker, runner = caller(tx)
        job = _of_reach(tx, call.path["id"], worker, runner)
        if not reporting.had(job, worker):
            raise reporting.not_held(job)
        return job.uid, lines.room(tx, job, len(text.encode()))

    uid, left = await call.write(room)
    now = call.service("clock").now()
    if left == "all":
        await lines.append(logs, uid, lines.parts(text, channel, now))
    elif left == "last":
        await lines.append(logs, uid, [lines.told(now, lines.FULL)])
    return wire.Heard(applied=left == "all")


@route(
    "GET",
    "/api/jobs/{id}/logs",
    permission=VIEW,
    callers=("runner", "people"),
    errors=(*UNKNOWN, MISSING),
)
async def read_lines(call: Call, query: After, logs: Logs) -> dict[str, Any]:
    """Lines of a job after a number, in chunks, oldest first."""
    job = await call.read(lambda tx: _readable(tx, call).uid)
    found, _ = await lines.read(logs, job, given(query.after) or 0)
    return {"logs": [job_shapes.chunk(job, one) for one in found]}


@route("GET", "/api/jobs/{id}", permission=VIEW, callers=("runner", "people"), errors=(*UNKNOWN, MISSING))
async def show(call: Call) -> dict[str, Any]:
    """One job: of a runner its own ones, and the plan that one of its own applies."""
    return await call.read(lambda tx: job_shapes.job(tx, _readable(tx, call)))


@route(
    "POST",
    "/api/jobs/{id}/git-token",
    permission="authenticated",
    callers=RUNNER,
    errors=(*UNKNOWN, MISSING, (403, "infra_job_not_held")),
)
async def git_token(call: Call) -> wire.GitToken:
    """The token of the repository that a job of the caller's is made from; null where it needs none."""

    def verb(tx: Tx) -> wire.GitToken:
        worker, runner = caller(tx)
        job = _of_reach(tx, call.path["id"], worker, runner)
        if not reporting.had(job, worker) or job.completed_at is not None:
            raise Forbidden(
                "This job is not held by this worker", code="infra_job_not_held", hint="Claim a job before you ask."
            )
        spec = tx.get(Spec, job.spec_id) if job.spec_id is not None else None
        return wire.GitToken(token=None if spec is None else holding.git_token(tx, job, spec))

    return await call.write(verb)


def _of_reach(tx: Tx, uid: str, worker: Worker, runner: Runner) -> InfraJob:
    """A job that may concern a runner at all. Raises `NotFound` for one of another organization, unless the runner
    works for all.
    """
    job = reading.anybodys(tx, uid)
    if job is None or (runner.mode != CLOUD_HOSTED and job.organization_id != worker.organization_id):
        raise holding.missing(uid)
    return job


def _readable(tx: Tx, call: Call) -> InfraJob:
    uid = call.path["id"]
    if tx.principal.kind != "runner":
        return reading.find(tx, uid)
    worker, runner = caller(tx)
    job = _of_reach(tx, uid, worker, runner)
    if not reporting.readable(tx, job, worker):
        raise holding.missing(uid)
    return job
