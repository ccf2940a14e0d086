"""`POST /api/workers/register`: how a machine becomes a worker, or a program a runner. A body with `token` is an
enrolment for tasks; who shows the secret of releases registers a cloud-hosted runner; whoever else shows something
registers a runner as by `POST /api/cli/workers`, and is refused in words that programs of that surface print.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from quarterdeck.fleet.workers import registration
from quarterdeck.fleet.workers.credentials import AccessTokens
from quarterdeck.fleet.workers.description import Agent
from quarterdeck.fleet.workers.registration import Registration
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.dialects import Shared, told_of
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.http.failures import Failure, Issue, Malformed
from quarterdeck.kernel.http.guard import AUTHENTICATED, Guard
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.infra.releases import cloud_hosted
from quarterdeck.surfaces.infra.runner_callers import ReleaseCallers
from quarterdeck.surfaces.infra.runners import MANAGE, registering
from quarterdeck.surfaces.infra.wire import runners as infra
from quarterdeck.surfaces.tasks.registration import admitted
from quarterdeck.surfaces.tasks.wire import registration as wire


class Register(wire.WorkerRegisterRequest, kw_only=True, rename="camel"):
    """Without `token`, only `name`, `mode`, `cloud_identity_id` and `metadata` count."""

    token: wire.Secret | UnsetType = UNSET  # type: ignore[assignment]
    mode: infra.Word | UnsetType | None = UNSET
    cloud_identity_id: infra.OptionalId = field(default=UNSET, name="cloud_identity_id")
    metadata: dict[str, Any] | UnsetType | None = UNSET


class Admittance(Struct, kw_only=True, rename="camel"):
    """The first nine are a machine's, the others a runner's: those of its generation count."""

    machine_id: str | UnsetType = UNSET
    worker_jwt: str | UnsetType = UNSET
    token: str | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET
    recovery_secret: str | UnsetType = UNSET
    heartbeat_interval_sec: int | UnsetType = UNSET
    control_path: str | UnsetType = UNSET
    server_time: str | UnsetType = UNSET
    capabilities: list[str] | UnsetType = UNSET
    worker: infra.Brief | UnsetType = UNSET
    runner: infra.Brief | UnsetType = UNSET
    worker_id: str | UnsetType = field(default=UNSET, name="worker_id")
    runner_id: str | UnsetType = field(default=UNSET, name="runner_id")
    worker_token: str | UnsetType = field(default=UNSET, name="worker_token")
    runner_token: str | UnsetType = field(default=UNSET, name="runner_token")


class Registering(Shared):
    """The shared envelope; programs that register runners print `error` as it is."""

    def body(self, failure: Failure, status: int) -> Any:
        return super().body(failure, status) | {"error": told_of(failure)}


@route(
    "POST",
    "/api/workers/register",
    permission="public",
    dialect=Registering(),
    status=201,
    also={200: "a cloud-hosted runner, by the secret of releases"},
    headers={"authorization": "`Bearer` and the secret of releases, or the token of a person who registers a runner"},
    errors=(
        (400, "validation_error"), (401, "enrolment_token_invalid"), (401, "product_auth_invalid"),
        (409, "enrolment_token_used"), (409, "machine_id_taken"), (409, "too_many_runners"), (426, "protocol_outdated"),
    ),
)  # fmt: skip
async def register(call: Call, body: Register, worker_tokens: AccessTokens) -> Answer[Admittance]:
    """Exchange a one-time enrolment token for an access token and a recovery secret, or register a runner; what is
    secret is shown this once.
    """
    if isinstance(body.token, str):
        return await _told(call, _enrolment(body, body.token, worker_tokens), 201)
    if "authorization" not in call.headers:
        raise Malformed(Issue("invalid_type", ("token",), "Required", "body", "present"))
    guard: Guard = call.service("guard")
    release = guard.callers.get("release")
    if isinstance(release, ReleaseCallers) and release.knows(call.request):
        await guard.admit(call.request, AUTHENTICATED, by="release")
        return await _told(call, cloud_hosted(infra.CloudRunnerCreate(name=body.name, mode=body.mode)), 200)
    await guard.admit(call.request, MANAGE)
    said = infra.RunnerCreate(
        name=body.name, mode=body.mode, cloud_identity_id=body.cloud_identity_id, metadata=body.metadata
    )
    return await _told(call, registering(said), 201)


async def _told(call: Call, verb: Callable[[Tx], Any], status: int) -> Answer[Admittance]:
    """What the other routes answer, with the keys that they have."""
    return Answer(await call.write(verb), status=status)


def _enrolment(body: Register, token: str, tokens: AccessTokens) -> Callable[[Tx], wire.WorkerAdmitted]:
    known = {one.type for one in body.agents}
    others = [Agent(type=word) for word in dict.fromkeys(body.capabilities) if word not in known]
    said = Registration(
        token=Secret(token),
        machine_id=body.machine_id,
        name=body.name,
        agents=[*body.agents, *others],
        hardware=body.hardware,
        slots=body.max_slots,
        version=body.worker_version,
        protocol=body.protocol_version,
    )

    def verb(tx: Tx) -> wire.WorkerAdmitted:
        return admitted(tx, registration.register(tx, tokens, said))

    return verb
