"""Terraform's `http` backend over the state of a job (contract: infra §3.3).

Terraform locks by LOCK and UNLOCK unless it is configured otherwise; these arrive here as POST and DELETE.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from typing import Any

from msgspec import UNSET

from quarterdeck.infra.runners.authenticating import caller
from quarterdeck.infra.runners.standing import owner
from quarterdeck.infra.states import backend, credentials, locks
from quarterdeck.infra.states.contents import LARGEST
from quarterdeck.infra.states.credentials import Attempt
from quarterdeck.infra.states.model import StateVersion
from quarterdeck.infra.states.packing import drafted, unpacked
from quarterdeck.infra.work import downloading, reporting
from quarterdeck.infra.work.happenings import stream
from quarterdeck.instance import Instance
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.surfaces.infra.job_callers import attempt
from quarterdeck.surfaces.infra.large_bodies import BODIES
from quarterdeck.surfaces.infra.runner_jobs import of_reach
from quarterdeck.surfaces.infra.wire import job_states as wire
from quarterdeck.surfaces.shared.values import given

GONE = (401, "infra_credential_invalid")
MISSING = (404, "infra_job_not_found")
NOTHING = (409, "state_of_nothing")
LOST = (409, "state_lock_lost")


@route("GET", "/api/jobs/{id}/state", permission="authenticated", callers=("job",), errors=(GONE, MISSING, NOTHING))
async def read(call: Call, instance: Instance) -> Answer[bytes]:
    """The state as it was written last; 404 while there is none."""

    def verb(tx: Tx) -> tuple[Attempt, StateVersion]:
        one = attempt(tx, call)
        return one, backend.read(tx, one)

    one, found = await call.read(verb)
    if downloading.untold(one.job, "state", one.fence):
        await call.write(downloading.tell, one.job.id, "state", one.fence)
    data = await unpacked(instance.vault, found)
    md5 = await asyncio.to_thread(_md5, data)
    return Answer(data, headers={"content-type": "application/json", "content-md5": md5})


@route(
    "POST",
    "/api/jobs/{id}/state",
    permission="authenticated",
    callers=("job",),
    raw_body=True,
    body_limit=LARGEST,
    place=BODIES.place("id", LARGEST),
    headers={"Content-MD5": "The checksum of the body, in base64; checked where it is sent."},
    errors=(
        GONE, MISSING, NOTHING, LOST, (400, "state_invalid"), (400, "state_checksum_wrong"), (403, "state_read_only"),
        (409, "state_not_locked"), (409, "state_serial_behind"), (409, "state_lineage_changed"),
    ),
)  # fmt: skip
async def write(call: Call, query: wire.WriteQuery, instance: Instance) -> wire.Nothing:
    """Write the state under the lock `ID`."""

    def may(tx: Tx) -> None:
        backend.require_may_write(attempt(tx, call))

    await call.read(may)
    data = await call.request.body()
    await asyncio.to_thread(_check, data, call.headers.get("content-md5"))
    draft = await drafted(instance.vault, instance.db.ids, data)
    await call.write(lambda tx: backend.write(tx, attempt(tx, call), given(query.lock_id), draft))
    return wire.Nothing()


@route(
    "DELETE",
    "/api/jobs/{id}/state",
    permission="authenticated",
    callers=("job",),
    errors=(GONE, MISSING, NOTHING, (403, "state_read_only"), (409, "state_locked"), (409, "state_not_empty")),
)
async def remove(call: Call) -> wire.Nothing:
    """Say that there is no state any more: only one that names no resources can go."""
    await call.write(lambda tx: backend.remove(tx, attempt(tx, call)))
    return wire.Nothing()


@route(
    "POST",
    "/api/jobs/{id}/state/lock",
    permission="authenticated",
    callers=("job",),
    also={423: "Locked: the lock of whoever holds it"},
    errors=(GONE, MISSING, NOTHING, LOST, (400, "state_lock_invalid")),
)
async def lock(call: Call, body: wire.Lock) -> Answer[wire.Nothing]:
    """Lock the state; 423 with the holder's own description while somebody else works on it. An attempt whose lock was
    taken away gets none any more.
    """
    try:
        await call.write(lambda tx: locks.lock(tx, attempt(tx, call), _said(body)))
    except locks.Locked as refused:
        answer: Any = {**refused.holder, "error": f"{refused.message} {refused.hint}"}
        return Answer(answer, status=423)
    except Conflict as refused:
        if refused.code != locks.LOST:
            raise
        # Terraform tells of a refusal nothing but the ID in it.
        told: Any = {"ID": locks.LOST, "code": locks.LOST, "error": f"{refused.message} {refused.hint}"}
        return Answer(told, status=409)
    return Answer(wire.Nothing())


@route(
    "DELETE",
    "/api/jobs/{id}/state/lock",
    permission="authenticated",
    callers=("job",),
    errors=(GONE, MISSING, NOTHING, LOST),
)
async def unlock(call: Call, body: wire.Lock) -> wire.Nothing:
    """Let go of one's own lock."""
    await call.write(lambda tx: locks.unlock(tx, attempt(tx, call), _said(body)))
    return wire.Nothing()


@route(
    "POST",
    "/api/jobs/{id}/state-token",
    permission="authenticated",
    callers=("runner",),
    errors=((401, "runner_token_invalid"), MISSING, (409, "infra_job_not_held")),
)
async def token(call: Call, instance: Instance) -> wire.StateToken:
    """A credential for the state of a job that the caller holds. One that it was given before is good no more."""

    def verb(tx: Tx) -> wire.StateToken:
        worker, runner = caller(tx)
        job = of_reach(tx, call.path["id"], worker, runner)
        if not credentials.held_by(tx, job, owner(worker)):
            raise reporting.not_held(job)
        issued = credentials.issue(tx, job).reveal()
        instance.logs.mask(stream(job.uid), [issued])
        path = f"/api/jobs/{job.uid}/state"
        return wire.StateToken(username=job.uid, password=issued, token=issued, path=path, lock_path=f"{path}/lock")

    return await call.write(verb)


def _said(body: wire.Lock) -> dict[str, Any]:
    return {name: value for name, value in body.said().items() if value is not UNSET}


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _check(data: bytes, said: str | None) -> None:
    if said is None:
        return
    try:
        known = base64.b64decode(said.strip(), validate=True)
    except (binascii.Error, ValueError):
        known = b""
    if not hmac.compare_digest(known, hashlib.md5(data, usedforsecurity=False).digest()):
        raise Invalid(
            "The body is not what its Content-MD5 says.",
            code="state_checksum_wrong",
            hint="It was changed on its way. Send it again.",
        )
