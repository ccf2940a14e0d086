"""How enrolled machines stay workers: refresh, recover, and whether anybody is there."""

from __future__ import annotations

from typing import Any

from quarterdeck import __version__
from quarterdeck.fleet.workers import registration
from quarterdeck.fleet.workers.control import WorkerControl
from quarterdeck.fleet.workers.credentials import AccessTokens
from quarterdeck.fleet.workers.registration import Admitted
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.tasks.wire import registration as wire
from quarterdeck.tasks.settings.thresholds import thresholds

CONTROL = "/api/workers/control"
AWAY = (403, "worker_decommissioned")


def _access(given: Admitted) -> dict[str, Any]:
    text = given.access.reveal()
    return {
        "machine_id": given.worker.uid,
        "worker_jwt": text,
        "token": text,
        "expires_at": wire_time(given.expires_at),
    }


def admitted(tx: Tx, given: Admitted) -> wire.WorkerAdmitted:
    """What registering and recovering answer."""
    assert given.recovery is not None  # noqa: S101 - both make one
    return wire.WorkerAdmitted(
        **_access(given),
        recovery_secret=given.recovery.reveal(),
        heartbeat_interval_sec=int(thresholds(tx, given.worker.organization_id).heartbeat_interval),
        control_path=CONTROL,
        server_time=wire_time(tx.now),
        capabilities=list(given.worker.capabilities),
    )


@route("GET", "/api/workers/healthz", permission="public")
async def healthz(workers: WorkerControl) -> wire.WorkersHealth:
    """Whether workers find somebody here, and how many are connected."""
    return wire.WorkersHealth(status="ok", connected_workers=workers.count, version=__version__)


@route(
    "POST",
    "/api/workers/refresh-token",
    permission="public",
    headers={"authorization": "`Bearer` and the access token of the worker"},
    errors=((401, "worker_token_invalid"), AWAY),
)
async def refresh(call: Call, worker_tokens: AccessTokens) -> wire.WorkerAccess:
    """Exchange an access token that still counts for another one."""
    scheme, _, presented = call.headers.get("authorization", "").partition(" ")
    text = presented.strip() if scheme.lower() == "bearer" else ""

    def verb(tx: Tx) -> wire.WorkerAccess:
        return wire.WorkerAccess(**_access(registration.refresh(tx, worker_tokens, text)))

    return await call.write(verb)


@route(
    "POST",
    "/api/workers/recover",
    permission="public",
    errors=((400, "validation_error"), (401, "recovery_secret_invalid"), AWAY),
)
async def recover(call: Call, body: wire.WorkerRecover, worker_tokens: AccessTokens) -> wire.WorkerAdmitted:
    """Come back by the recovery secret, which is another one afterwards. Access tokens of before end."""

    def verb(tx: Tx) -> wire.WorkerAdmitted:
        given = registration.recover(tx, worker_tokens, body.machine_id, Secret(body.recovery_secret))
        return admitted(tx, given)

    return await call.write(verb)
