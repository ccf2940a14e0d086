"""`POST /api/workers/register`: how a machine becomes a worker. A body with `token` is an enrolment for tasks."""

from __future__ import annotations

from quarterdeck.fleet.workers import registration
from quarterdeck.fleet.workers.credentials import AccessTokens
from quarterdeck.fleet.workers.description import Agent
from quarterdeck.fleet.workers.registration import Registration
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.tasks.registration import admitted
from quarterdeck.surfaces.tasks.wire import registration as wire


@route(
    "POST",
    "/api/workers/register",
    permission="public",
    status=201,
    errors=(
        (400, "validation_error"), (401, "enrolment_token_invalid"), (409, "enrolment_token_used"),
        (409, "machine_id_taken"), (426, "protocol_outdated"),
    ),
)  # fmt: skip
async def register(call: Call, body: wire.WorkerRegisterRequest, worker_tokens: AccessTokens) -> wire.WorkerAdmitted:
    """Exchange a one-time enrolment token for an access token and a recovery secret, shown this once."""
    known = {one.type for one in body.agents}
    others = [Agent(type=word) for word in dict.fromkeys(body.capabilities) if word not in known]
    said = Registration(
        token=Secret(body.token),
        machine_id=body.machine_id,
        name=body.name,
        agents=[*body.agents, *others],
        hardware=body.hardware,
        slots=body.max_slots,
        version=body.worker_version,
        protocol=body.protocol_version,
    )

    def verb(tx: Tx) -> wire.WorkerAdmitted:
        return admitted(tx, registration.register(tx, worker_tokens, said))

    return await call.write(verb)
