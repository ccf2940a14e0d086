"""Runners as people look after them (contract: infra §1.4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from quarterdeck.fleet.workers import draining, roster
from quarterdeck.fleet.workers.control import WorkerControl
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.clouds import identities
from quarterdeck.infra.runners import bootstrap, default, deploying, leaving, listing, registration
from quarterdeck.infra.runners.deploying import Lifted
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.surfaces.infra.runner_shapes import at, details, either, registered, rows, text
from quarterdeck.surfaces.infra.wire import runners as wire
from quarterdeck.surfaces.shared.values import given

VIEW, MANAGE = "infra:runners.view", "infra:runners.manage"
MISSING = (404, "runner_not_found")
SWAPPING = Rate(30, 60)
"""Tokens of one address that are tried in a minute."""


@route("GET", "/api/cli/workers", permission=VIEW)
async def listed(call: Call, query: wire.Listing) -> wire.Runners:
    """Runners of the organization and cloud-hosted ones: the caller's default first, then the newest."""

    def verb(tx: Tx) -> wire.Runners:
        found = listing.visible(tx, given(query.before), query.limit + 1)
        others = [one for one in found if not one.is_default]
        shown = rows(tx, [*(one for one in found if one.is_default), *others[: query.limit]])
        more = shown[-1].id if len(others) > query.limit else None
        return wire.Runners(workers=shown, runners=shown, next=more)

    return await call.read(verb)


@route(
    "POST",
    "/api/cli/workers",
    permission=MANAGE,
    status=201,
    errors=((400, "validation_error"), (403, "session_required"), (404, "not_found"), (409, "too_many_runners")),
)
async def register(call: Call, body: wire.RunnerCreate) -> wire.Registered:
    """Register a self-hosted runner. Its token is shown this once."""
    return await call.write(registering(body))


def registering(body: wire.RunnerCreate) -> Callable[[Tx], wire.Registered]:
    """The unit of the route above, which the shared one has as well."""

    def verb(tx: Tx) -> wire.Registered:
        cloud = either(given(body.cloud_identity_id))
        identity = None if cloud is None else identities.usable(tx, cloud)
        made = registration.register(
            tx,
            text(body.name),
            text(body.mode),
            cloud_identity_id=None if identity is None else identity.id,
            said=given(body.metadata),
        )
        return registered(tx, made)

    return verb


@route("GET", "/api/cli/workers/{id}", permission=VIEW, errors=(MISSING,))
async def show(call: Call) -> wire.OneRunner:
    """One runner, with what is said of it, its release and its job."""
    return await call.read(lambda tx: details(tx, listing.find(tx, call.path["id"])))


@route(
    "DELETE",
    "/api/cli/workers/{id}",
    permission=MANAGE,
    errors=(MISSING, (403, "runner_of_others"), (409, "runner_busy")),
)
async def remove(call: Call, workers: WorkerControl) -> wire.Success:
    """Forget a runner. Nothing is torn down; its jobs wait for another one."""

    def verb(tx: Tx) -> Worker:
        worker = leaving.require_own(tx, call.path["id"])
        leaving.remove(tx, worker)
        return worker

    worker = await call.write(verb)
    if worker.revoked_at is None:
        await workers.dial_again(worker.id)
    else:
        await workers.send_away(worker.id)
    return wire.Success()


@route(
    "POST",
    "/api/cli/workers/deploy",
    permission=MANAGE,
    status=201,
    errors=(
        (400, "validation_error"),
        (400, "runner_template_missing"),
        (403, "forbidden"),
        (404, "not_found"),
        MISSING,
    ),
)
async def deploy(call: Call, body: wire.RunnerDeploy) -> wire.Lifted:
    """Register a runner and queue the job that puts it up in a cloud."""

    def verb(tx: Tx) -> wire.Lifted:
        made = deploying.deploy(
            tx,
            text(body.name),
            text(body.cloud_identity_id),
            text(body.region),
            either(given(body.assigned_worker_id), given(body.assigned_runner_id)),
        )
        return _lifted(made)

    return await call.write(verb)


@route(
    "POST",
    "/api/cli/workers/{id}/update",
    permission=MANAGE,
    status=201,
    errors=(MISSING, (409, "runner_without_stack"), (409, "no_release"), (409, "runner_busy")),
)
async def update(call: Call, body: wire.RunnerUpdate) -> wire.Lifted:
    """Queue the job that moves a runner to the newest release."""
    pinned = either(given(body.assigned_worker_id), given(body.assigned_runner_id))
    return await call.write(lambda tx: _lifted(deploying.update(tx, call.path["id"], pinned)))


def _lifted(made: Lifted) -> wire.Lifted:
    named = wire.Named(id=made.worker.uid, name=made.worker.name)
    queued = wire.Queued(id=made.job.uid, status=made.job.status, created_at=wire_time(made.job.created_at))
    return wire.Lifted(worker=named, runner=named, job=queued)


@route(
    "POST",
    "/api/cli/workers/{id}/drain",
    permission=MANAGE,
    errors=(MISSING, (400, "validation_error"), (403, "runner_of_others"), (409, "worker_decommissioned")),
)
async def drain(call: Call, body: wire.RunnerDrain, workers: WorkerControl) -> wire.OneRunner:
    """Give a runner no new jobs, or new ones again. What it has goes on."""

    def verb(tx: Tx) -> wire.OneRunner:
        uid = leaving.require_own(tx, call.path["id"]).uid
        worker = roster.locked(tx, tx.principal.acts_in, uid)
        if body.draining:
            draining.drain(tx, worker, given(body.reason))
        else:
            draining.undrain(tx, worker)
        tx.flush()
        return details(tx, listing.find(tx, uid))

    shown = await call.write(verb)
    await workers.follow(await call.read(listing.usable, call.path["id"]))
    return shown


@route("POST", "/api/cli/workers/{id}/default", permission=VIEW, errors=(MISSING,))
async def choose(call: Call) -> wire.OneRunner:
    """Have a runner chosen beforehand where the caller is asked for one."""
    return await call.write(lambda tx: details(tx, default.choose(tx, call.path["id"])))


@route(
    "POST",
    "/api/cli/workers/enrolment-tokens",
    permission=MANAGE,
    status=201,
    errors=((400, "validation_error"), (403, "session_required"), (409, "too_many_tokens")),
)
async def mint(call: Call, body: wire.EnrolmentCreate) -> wire.Enrolment:
    """Make a token that makes one machine a runner; its text is shown this once."""

    def verb(tx: Tx) -> wire.Enrolment:
        row, token = bootstrap.mint(tx, given(body.label), timedelta(hours=body.expires_in_hours))
        return wire.Enrolment(id=row.id, label=row.label, token=token.reveal(), expires_at=at(row.expires_at))

    return await call.write(verb)


@route(
    "POST",
    "/api/workers/bootstrap",
    permission="public",
    status=201,
    rate=SWAPPING,
    errors=((400, "validation_error"), (401, "enrolment_token_invalid"), (409, "enrolment_token_used")),
)
async def swap(call: Call, body: wire.Bootstrap) -> wire.Registered:
    """Exchange a one-time token for the id and the token of a runner, which are shown this once."""

    def verb(tx: Tx) -> wire.Registered:
        made = bootstrap.swap(tx, body.token, text(body.name), text(body.version), given(body.metadata))
        return registered(tx, made)

    return await call.write(verb)
