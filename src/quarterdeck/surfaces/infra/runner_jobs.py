"""What foreign runners ask and tell of jobs (contract: infra §3)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from msgspec import structs

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.clouds import federating
from quarterdeck.infra.execution.orders import Cloud
from quarterdeck.infra.runners import beating, lifting
from quarterdeck.infra.runners.authenticating import caller
from quarterdeck.infra.runners.model import Runner
from quarterdeck.infra.runners.standing import CLOUD_HOSTED, owner
from quarterdeck.infra.runners.tending import git_token as told_git_token
from quarterdeck.infra.work import claiming, heard, holding, lines, ordering, reading, reporting, requeueing
from quarterdeck.infra.work.happenings import stream
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import PROCESSING
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.http import bodies
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.logs import Logs
from quarterdeck.kernel.storable import storable_json
from quarterdeck.surfaces.infra import job_shapes
from quarterdeck.surfaces.infra.job_logs import logs_of
from quarterdeck.surfaces.infra.jobs import MISSING, VIEW
from quarterdeck.surfaces.infra.large_bodies import BODIES
from quarterdeck.surfaces.infra.runner_callers import is_newer
from quarterdeck.surfaces.infra.runner_calls import RUNNER, UNKNOWN
from quarterdeck.surfaces.infra.wire import jobs as jobs_wire
from quarterdeck.surfaces.infra.wire import runner_jobs as wire
from quarterdeck.surfaces.shared.values import given

NOT_HELD = (409, "infra_job_not_held")
CLAIMS = Rate(120, 60)
"""Claims of one runner in a minute; six are usual when it is idle."""
REPORTS = Rate(600, 60)
CHUNKS = Rate(900, 60)
"""Chunks of lines of one runner in a minute; a job sends at most three every two seconds, and whole ones at once."""
STATUS_LIMIT, CHUNK_LIMIT = 32 << 20, 4 << 20
"""Bytes of a report, which may have all of Terraform's own list of changes in it, and of a chunk of lines as JSON."""
HEAVY = ThreadPoolExecutor(2, thread_name_prefix="reports")
"""Where large reports are read, away from the loop."""
FRESH = timedelta(seconds=15)
"""Who asks in vain is noted as alive no more often than this."""


@route("POST", "/api/jobs/claim", permission="authenticated", callers=RUNNER, each=CLAIMS, errors=UNKNOWN)
async def claim(call: Call, logs: Logs) -> wire.Claimed:
    """Take the next job; `job` is null when there is none. It counts as a sign of life."""

    def look(tx: Tx) -> bool:
        worker, runner = caller(tx)
        known = worker.last_seen_at is not None and tx.now - worker.last_seen_at < FRESH
        return not known or claiming.waits(tx, worker, runner)

    if not await call.read(look):
        return wire.Claimed(job=None)
    return await call.write(_claimed, logs, newer=is_newer(call))


def _claimed(tx: Tx, logs: Logs, *, newer: bool) -> wire.Claimed:
    worker, runner = caller(tx)
    beating.beat(tx, worker, runner)
    job = claiming.claim(tx, worker, runner)
    if job is None:
        return wire.Claimed(job=None)
    sealed, cloud = lifting.sealed(tx, job), federating.cloud(tx, job)
    given_out = [sealed.get("worker_token"), ordering.repository_token(tx, job)]
    logs.mask(stream(job.uid), [one for one in given_out if one])
    shown = structs.replace(job_shapes.shape(tx, job, runner_words=newer), config_snapshot=sealed)
    return wire.Claimed(job=shown, cloud_identity=None if cloud is None else _identity(cloud))


def _identity(cloud: Cloud) -> wire.CloudIdentity:
    return wire.CloudIdentity(**{name: getattr(cloud, name) for name in wire.CloudIdentity.__struct_fields__})


@route(
    "PUT",
    "/api/jobs/{id}/status",
    permission="authenticated",
    callers=RUNNER,
    each=REPORTS,
    body=wire.JobStatus,
    raw_body=True,
    body_limit=STATUS_LIMIT,
    place=BODIES.place("id", STATUS_LIMIT),
    errors=(*UNKNOWN, MISSING, NOT_HELD, (400, "infra_status_required"), (400, "infra_status_unknown")),
)
async def report(call: Call, logs: Logs) -> wire.Heard:
    """Say how a job stands. What comes after its end changes nothing: `applied` is false."""
    raw = await call.request.body()
    read = partial(_read_report, call, raw)
    small = len(raw) <= bodies.SMALL
    status, message, told = read() if small else await asyncio.get_running_loop().run_in_executor(HEAVY, read)

    def verb(tx: Tx) -> wire.Heard:
        worker, runner = caller(tx)
        job = of_reach(tx, call.path["id"], worker, runner)
        hidden = logs.hidden(stream(job.uid))
        return wire.Heard(applied=reporting.report(tx, job, owner(worker), status, message, told, hidden))

    return await call.write(verb)


def _read_report(call: Call, raw: bytes) -> tuple[str | None, str | None, heard.Heard]:
    body: wire.JobStatus = call.endpoint.decoded(storable_json(raw), cleaned=True)
    status = given(body.status)
    reporting.check(status)
    told = heard.read(given(body.execution_metadata) or {}, ends=status != PROCESSING)
    return status, given(body.error_message), told


@route(
    "POST",
    "/api/jobs/{id}/logs",
    permission="authenticated",
    callers=RUNNER,
    each=CHUNKS,
    status=201,
    body=wire.LogChunk,
    raw_body=True,
    body_limit=CHUNK_LIMIT,
    errors=(*UNKNOWN, MISSING, NOT_HELD, (400, "infra_log_chunk_required")),
)
async def write_lines(call: Call, logs: Logs) -> wire.Heard:
    """Lines of a job of the caller's, which may come after its end."""
    body: wire.LogChunk = call.endpoint.decoded(storable_json(await call.request.body()), cleaned=True)
    text, channel = lines.chunk(given(body.log_chunk), given(body.stream_type))

    def had(tx: Tx) -> tuple[str, int, str | None]:
        worker, runner = caller(tx)
        job = of_reach(tx, call.path["id"], worker, runner)
        if not reporting.had(job, worker):
            raise reporting.not_held(job)
        return job.uid, job.id, ordering.repository_token(tx, job)

    uid, number, token = await call.read(had)
    if token:
        logs.mask(stream(uid), [token])
    now = call.service("clock").now()
    whole = await lines.take(logs, uid, text, channel, now)
    if not whole:  # no line tells any more that something goes on
        await call.write(requeueing.wrote, number, now)
    return wire.Heard(applied=whole)


@route("GET", "/api/jobs/{id}/logs", permission=VIEW, callers=("runner", "people"), errors=(*UNKNOWN, MISSING))
async def read_lines(call: Call, query: jobs_wire.LogsQuery, logs: Logs) -> jobs_wire.Logs:
    """What a job wrote, behind the chunk `after`."""
    uid = await call.read(lambda tx: _readable(tx, call).uid)
    return await logs_of(logs, uid, query.after)


@route("GET", "/api/jobs/{id}", permission=VIEW, callers=("runner", "people"), errors=(*UNKNOWN, MISSING))
async def show(call: Call) -> jobs_wire.Job:
    """One job: of a runner its own ones, and the plan that one of its own applies."""
    newer = is_newer(call)
    return await call.read(lambda tx: job_shapes.shape(tx, _readable(tx, call), runner_words=newer))


@route(
    "POST",
    "/api/jobs/{id}/git-token",
    permission="authenticated",
    callers=RUNNER,
    errors=(*UNKNOWN, MISSING, (403, "infra_job_not_held")),
)
async def git_token(call: Call, logs: Logs) -> wire.GitToken:
    """The token of the repository that a job of the caller's is made from; null where it needs none."""

    def verb(tx: Tx) -> wire.GitToken:
        worker, runner = caller(tx)
        job = of_reach(tx, call.path["id"], worker, runner)
        if not reporting.had(job, worker) or job.completed_at is not None:
            raise Forbidden(
                "This job is not held by this worker", code="infra_job_not_held", hint="Claim a job before you ask."
            )
        token = told_git_token(tx, job, worker)
        if token:
            logs.mask(stream(job.uid), [token])
        return wire.GitToken(token=token)

    return await call.write(verb)


def of_reach(tx: Tx, uid: str, worker: Worker, runner: Runner) -> InfraJob:
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
    job = of_reach(tx, uid, worker, runner)
    if not reporting.readable(tx, job, worker):
        raise holding.missing(uid)
    return job
