"""The Docker engine of a server: what is there, what would be done, and doing it with consent. Routes of ours."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from quarterdeck.fleet.engines.installing import PHASE
from quarterdeck.fleet.engines.values import Plan, Seen
from quarterdeck.fleet.servers import engines, servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.jobs.transitions import ENDED, State

PAGE = 500


class EngineStep(Struct, kw_only=True, rename="camel"):
    """`argv` is run there as it stands."""

    title: str
    argv: list[str]


class EngineRefusal(Struct, kw_only=True, rename="camel"):
    code: str
    message: str
    hint: str | None = None


class EnginePlan(Struct, kw_only=True, rename="camel"):
    """`refusal`: why nothing can be done by us, with what a person does instead."""

    id: str
    steps: list[EngineStep]
    refusal: EngineRefusal | None = None


class EngineDecision(Struct, kw_only=True, rename="camel"):
    """`undecided` uses what is there, which is written down as `adopted` at the first use."""

    use: Literal["undecided", "adopted", "installed", "refused"]
    decided_at: str | None = None
    reason: str | None = None


class EngineOnServer(Struct, kw_only=True, rename="camel"):
    """`origin`: `installed` by a Quarterdeck, or `found` there; null where there is none."""

    server_id: str
    state: Literal["absent", "stopped", "closed", "too-old", "ready"]
    version: str | None
    origin: Literal["installed", "found"] | None
    system: str
    account: str
    trouble: str | None
    decision: EngineDecision
    plan: EnginePlan
    work_id: str | None = None


class EngineWish(Struct, kw_only=True, rename="camel"):
    """`use` does what the plan says, if anything, and wants `consent`; with `planId` to that plan alone. `refuse` has
    no engine used there.
    """

    decision: Literal["use", "refuse"]
    consent: bool = False
    plan_id: Annotated[str, Meta(max_length=64)] | None = None
    reason: Annotated[str, Meta(max_length=280)] | None = None


class EngineDecided(Struct, kw_only=True, rename="camel"):
    """`workId` names the work that does it; null where nothing has to be done."""

    server_id: str
    decision: EngineDecision
    work_id: str | None = None


class EngineLine(Struct, kw_only=True, rename="camel"):
    number: int
    time: str
    message: str
    level: str | None = None


class EngineWork(Struct, kw_only=True, rename="camel"):
    """The newest work on the engine: its state, what it said after the line `after`, and why it failed."""

    server_id: str
    work_id: str | None
    state: str | None
    ended: bool
    error_code: str | None
    error_message: str | None
    decision: EngineDecision
    lines: list[EngineLine]
    next: int


@route(
    "GET",
    "/api/servers/{serverId}/engine",
    permission="deploy:servers.test-connectivity",
    summary="Look at the Docker engine of a server, and say what would be done to use one",
    errors=((400, "validation_error"), (404, "not_found"), (409, "ssh_credential_missing")),
    tags=("servers",),
)
async def show(call: Call, server_id: str) -> EngineOnServer:
    server, seen, plan = await call.service("instance").looking.engine(server_id)
    work = await call.read(engines.latest, server)
    return _shown(server, seen, plan, work)


@route(
    "POST",
    "/api/servers/{serverId}/engine",
    permission="servers:engine",
    summary="Install, use or refuse the Docker engine of a server",
    errors=((400, "validation_error"), (404, "not_found"), (409, "engine_consent_missing"), (409, "sudo_unavailable")),
    body_required=True,
    tags=("servers",),
)
async def decide(call: Call, server_id: str, body: EngineWish) -> EngineDecided:
    if body.decision == "refuse":
        server = await call.write(engines.refuse, server_id, body.reason)
        return EngineDecided(server_id=server.ref, decision=_decision(server))
    if body.reason is not None:
        raise Invalid("Only a refusal has a reason.", hint="Leave it out.", field="reason")
    server, seen, plan = await call.service("instance").looking.engine(server_id)
    engines.check_consent(server, plan, consent=body.consent, plan_id=body.plan_id)
    if seen.state == "ready":
        server = await call.write(engines.adopt, server_id, seen.version)
        return EngineDecided(server_id=server.ref, decision=_decision(server))
    server, job = await call.write(_request, server_id, plan)
    return EngineDecided(server_id=server.ref, decision=_decision(server), work_id=job.work_ref)


def _request(tx: Tx, server_id: str, plan: Plan) -> tuple[Server, jobs.Job]:
    job = engines.request(tx, server_id, [step.argv for step in plan.steps])
    return servers.find(tx, server_id), job


class AfterLine(Struct, kw_only=True, rename="camel"):
    after: Annotated[int, Meta(ge=0)] = 0


@route(
    "GET",
    "/api/servers/{serverId}/engine/work",
    permission="deploy:servers.test-connectivity",
    summary="Follow the newest work on the Docker engine of a server",
    errors=((404, "not_found"),),
    tags=("servers",),
)
async def work(call: Call, server_id: str, query: AfterLine) -> EngineWork:
    server, job = await call.read(_work, server_id)
    logs = call.service("logs")
    since = None if job is None else job.created_at
    found = [] if job is None else await logs.read(f"server:{server.ref}", after=query.after, limit=PAGE, since=since)
    return EngineWork(
        server_id=server.ref,
        work_id=job.work_ref if job else None,
        state=job.state if job else None,
        ended=job is None or State(job.state) in ENDED,
        error_code=job.error_code if job else None,
        error_message=job.error_message if job else None,
        decision=_decision(server),
        lines=[
            EngineLine(number=one.number, time=wire_time(one.time), message=one.message, level=one.level)
            for one in found
            if one.phase == PHASE
        ],
        next=found[-1].number if found else query.after,
    )


def _work(tx: Tx, server_id: str) -> tuple[Server, jobs.Job | None]:
    server = servers.find(tx, server_id)
    return server, engines.latest(tx, server)


def _decision(server: Server) -> EngineDecision:
    return EngineDecision(
        use=server.engine_use or "undecided",  # type: ignore[arg-type]  # one of the words
        decided_at=wire_time(server.engine_decided_at) if server.engine_decided_at else None,
        reason=server.engine_reason,
    )


def _shown(server: Server, seen: Seen, plan: Plan, job: jobs.Job | None) -> EngineOnServer:
    refusal, trouble = plan.refusal, seen.trouble
    return EngineOnServer(
        server_id=server.ref,
        state=seen.state,
        version=seen.version,
        origin=seen.origin,
        system=seen.system.name,
        account=seen.system.account,
        trouble=trouble.message if trouble else None,
        decision=_decision(server),
        plan=EnginePlan(
            id=plan.id,
            steps=[EngineStep(title=step.title, argv=list(step.argv)) for step in plan.steps],
            refusal=EngineRefusal(code=refusal.code, message=refusal.message, hint=refusal.hint) if refusal else None,
        ),
        work_id=job.work_ref if job is not None and State(job.state) not in ENDED else None,
    )
