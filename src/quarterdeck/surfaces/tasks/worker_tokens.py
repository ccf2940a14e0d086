"""Enrolment tokens: each makes one machine a worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from quarterdeck.fleet.workers import enrolment
from quarterdeck.fleet.workers.model import EnrolmentToken, Worker
from quarterdeck.identity import sessions
from quarterdeck.identity.model import User
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.shared.values import given
from quarterdeck.surfaces.tasks.machines import MANAGE, shape
from quarterdeck.surfaces.tasks.shapes import at, cut, number, position
from quarterdeck.surfaces.tasks.wire import machines as wire
from quarterdeck.surfaces.tasks.wire.lists import Paging
from quarterdeck.tasks.machines import CAPABILITY

MISSING = (404, "worker_token_not_found")


def _fields(tx: Tx, token: EnrolmentToken) -> dict[str, Any]:
    worker = tx.get(Worker, token.worker_id) if token.worker_id is not None else None
    maker = tx.get(User, token.created_by) if token.created_by is not None else None
    return {
        "id": token.id,
        "label": token.label,
        "status": enrolment.status(token, tx.now),
        "machine_id": worker.uid if worker is not None else None,
        "created_by": token.created_by,
        "created_by_name": maker.username if maker is not None else None,
        "created_at": wire_time(token.created_at),
        "used_at": at(token.used_at),
        "expires_at": at(token.expires_at),
    }


@route("GET", "/api/admin/worker-tokens", permission=MANAGE)
async def listed(call: Call, query: Paging) -> wire.WorkerTokens:
    """The enrolment tokens of the organization, newest first, without their texts."""

    def verb(tx: Tx) -> wire.WorkerTokens:
        found, total = enrolment.page(tx, tx.principal.acts_in, position(query), query.limit + 1)
        shown, cursor = cut(found, lambda one: one.id, query)
        return wire.WorkerTokens(
            items=[wire.WorkerToken(**_fields(tx, one)) for one in shown], next_cursor=cursor, total=total
        )

    return await call.read(verb)


@route(
    "POST",
    "/api/admin/worker-tokens",
    permission=MANAGE,
    status=201,
    errors=((400, "validation_error"), (403, "session_required"), (409, "too_many_tokens")),
)
async def create(call: Call, body: wire.WorkerTokenCreate) -> wire.NewWorkerToken:
    """Make a token that enrols one machine for tasks; its text is shown this once."""
    sessions.require_in_person(call.principal)
    hours, public = given(body.expires_in_hours), call.service("public_url")
    life = None if hours is None else timedelta(hours=hours)

    def verb(tx: Tx) -> wire.NewWorkerToken:
        row, token = enrolment.create(tx, tx.principal.acts_in, [CAPABILITY], label=given(body.label), life=life)
        return wire.NewWorkerToken(**_fields(tx, row), token=token.reveal(), server_url=public)

    return await call.write(verb)


@route("POST", "/api/admin/worker-tokens/{id}/revoke", permission=MANAGE, errors=(MISSING,))
async def revoke(call: Call) -> wire.WorkerToken:
    """End a token; ending it again is a success. A machine that it enrolled stays connected."""

    def verb(tx: Tx) -> wire.WorkerToken:
        return wire.WorkerToken(**_fields(tx, enrolment.revoke(tx, tx.principal.acts_in, number(call.path["id"]))))

    return await call.write(verb)


@route("GET", "/api/admin/worker-tokens/{id}/status", permission=MANAGE, errors=(MISSING,))
async def status(call: Call) -> wire.WorkerTokenStatus:
    """What has become of a token, and the machine that it enrolled."""

    def verb(tx: Tx) -> wire.WorkerTokenStatus:
        token = enrolment.find(tx, tx.principal.acts_in, number(call.path["id"]))
        worker = tx.get(Worker, token.worker_id) if token.worker_id is not None else None
        return wire.WorkerTokenStatus(
            id=token.id,
            status=enrolment.status(token, tx.now),
            machine=shape(tx, worker) if worker is not None else None,
        )

    return await call.read(verb)
