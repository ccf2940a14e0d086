"""Whether the Docker engine of a server is used: what was decided, by installing one, by using the one that was found,
or by refusing it. A server about which nothing was decided uses what it has, and that is written down at the first use.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import msgspec

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.engines.installing import INSTALL, EngineOrder, EngineReady
from quarterdeck.fleet.engines.values import Plan
from quarterdeck.fleet.servers import noting, servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets.login import HostKeyPin, LoginOrder
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.kernel.jobs.transitions import ENDED, State
from quarterdeck.workspace.names import check_reason

ADOPTED, INSTALLED, REFUSED = "adopted", "installed", "refused"
USES = frozenset({ADOPTED, INSTALLED})


class EngineAction(audit.Action):
    ADOPTED = "server.engine-adopted"
    REFUSED = "server.engine-refused"
    INSTALL_REQUESTED = "server.engine-install-requested"
    INSTALLED = "server.engine-installed"
    REMOVED = "server.engine-removed"


class InstallPayload(msgspec.Struct):
    """Row id of the server, and the argv lists that were consented to."""

    server: int
    steps: list[list[str]]


def adopt(tx: Tx, server_ref: str, version: str | None) -> Server:
    """Use the engine that was found there; where that is decided already nothing changes."""
    server = servers.locked(tx, server_ref)
    servers.check_active(server)
    if server.engine_use not in USES:
        _adopted(tx, server, version, "asked")
    return server


def used(tx: Tx, server_id: int, version: str | None = None) -> None:
    """The engine that is there was used, or looked at to be used: where nothing was decided, it is now."""
    server = tx.get(Server, server_id)
    if server is None or server.engine_use is not None or server.provider == servers.LOCAL:
        return
    server = servers.observed(tx, server_id)
    if server is not None and server.engine_use is None:
        _adopted(tx, server, version, "first-use")


def refuse(tx: Tx, server_ref: str, reason: str | None = None) -> Server:
    """Use none there from now on. What runs in it goes on until it is replaced or stopped."""
    server = servers.locked(tx, server_ref)
    check_behind_ssh(server)
    servers.check_active(server)
    reason = check_reason(reason)
    check_idle(tx, server)
    if server.engine_use != REFUSED or server.engine_reason != reason:
        server.engine_use, server.engine_decided_at, server.engine_reason = REFUSED, tx.now, reason
        noting.note(tx, server, EngineAction.REFUSED, {"reason": reason} if reason else {})
    return server


def request(tx: Tx, server_ref: str, steps: Sequence[Sequence[str]]) -> jobs.Job:
    """Have these steps done there; while such work lives, that is answered instead."""
    server = access.held(tx, server_ref)
    check_behind_ssh(server)
    access.check_takes(tx, server)
    living = busy(tx, server)
    if living is not None:
        return living
    argv = [list(step) for step in steps]
    job = jobs.enqueue(
        tx,
        jobs.Enqueue(
            kind=INSTALL,
            payload=InstallPayload(server.id, argv),
            organization_id=server.organization_id,
            subject=f"server:{server.ref}",
            capabilities=frozenset({"deploy"}),
            concurrency_key=f"server-engine:{server.ref}",
        ),
    )
    server.engine_job_id = job.id
    tx.flush()
    noting.note(tx, server, EngineAction.INSTALL_REQUESTED, {"workId": job.work_ref, "steps": argv})
    return job


def check_consent(server: Server, plan: Plan, *, consent: bool, plan_id: str | None) -> None:
    """Raise `Conflict` unless somebody has agreed to this very plan, and the plan's own refusal."""
    if plan.refusal is not None:
        raise plan.refusal
    if plan_id is not None and plan_id != plan.id:
        raise Conflict(
            "The plan is another one than was agreed to: the server has changed meanwhile.",
            code="engine_plan_changed",
            hint=f"Look at the new plan, and agree to that one: qd server engine {shlex.quote(server.name)}",
        )
    if not consent:
        raise Conflict(
            "Nobody has agreed to what would be done there. Nothing was changed.",
            code="engine_consent_missing",
            hint=f"Look at the plan, then send consent: true (qd server engine {shlex.quote(server.name)} --yes).",
            steps=[list(step.argv) for step in plan.steps],
        )


def latest(tx: Tx, server: Server) -> jobs.Job | None:
    """The newest work on its engine, as long as the ledger keeps it."""
    return None if server.engine_job_id is None else look(tx, server.engine_job_id)


def busy(tx: Tx, server: Server) -> jobs.Job | None:
    """The work on its engine that has not ended."""
    job = latest(tx, server)
    return None if job is None or State(job.state) in ENDED else job


def check_idle(tx: Tx, server: Server, names: Sequence[Server] = ()) -> None:
    """Raise `Conflict` (`engine_busy`) while work on its engine has not ended, asked for under it or one of `names`."""
    for one in names or (server,):
        work = busy(tx, one)
        if work is None:
            continue
        known = one.organization_id == server.organization_id
        cancel = f", or cancel it while it waits: qd work cancel {work.work_ref}" if known else "."
        raise Conflict(
            f"An engine is being installed on {server.name}.",
            code="engine_busy",
            hint=f"Wait for its end{cancel}",
            relatedEntityId=server.ref,
        )


def removed(tx: Tx, server: Server, name: str) -> None:
    """The engine that Quarterdeck had installed there is gone: nothing is decided about another one. The caller holds
    the server.
    """
    server.engine_use = server.engine_decided_at = server.engine_reason = None
    noting.note(tx, server, EngineAction.REMOVED, {"name": name})


def check_behind_ssh(server: Server) -> None:
    """Raise `Invalid` for the machine of the control plane."""
    if server.provider == servers.LOCAL:
        raise Invalid(
            f"{server.name} is the machine of the control plane; its engine is looked after by you.",
            hint="Install Docker Engine 20.10 or newer on it as its own documentation says; it is found by itself.",
            field="serverId",
        )


def kind(instance: str) -> jobs.JobKind:
    """Installing an engine as a job, for the installation of this name."""

    def assign(tx: Tx, job: jobs.Job) -> EngineOrder:
        server = _server(tx, job)
        access.check_takes(tx, server)  # deactivated, or its machine being left, since it was asked for
        order = job.read(InstallPayload)
        tx.publish("servers")
        return EngineOrder(LoginOrder.of(access.login(tx, server)), instance, order.steps)

    def finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
        server = servers.observed(tx, job.read(InstallPayload).server)
        if server is None:
            return  # deleted meanwhile
        if outcome.state == "succeeded":
            found = msgspec.json.decode(outcome.result or "", type=EngineReady)
            if found.fingerprint:
                access.keep_host_key(tx, server.id, HostKeyPin(found.fingerprint, found.algorithm))
            server.engine_use = INSTALLED if found.origin == "installed" else ADOPTED
            server.engine_decided_at, server.engine_reason = tx.now, None
            action = EngineAction.INSTALLED if found.origin == "installed" else EngineAction.ADOPTED
            noting.note(tx, server, action, {"version": found.version, "workId": job.work_ref})
        tx.flush()
        tx.publish("servers")

    return jobs.JobKind(
        name=INSTALL,
        payload=InstallPayload,
        assign=assign,
        finish=finish,
        lease_seconds=15,
        work=jobs.Work("runtime-maintenance", "Install a Docker engine", noting.about("servers.engine"), _again),
    )


def _again(tx: Tx, job: jobs.Job) -> jobs.Job:
    """What was consented to stays consented to; a step beyond it is refused there."""
    return request(tx, _server(tx, job).ref, job.read(InstallPayload).steps)


def _server(tx: Tx, job: jobs.Job) -> Server:
    server = tx.get(Server, job.read(InstallPayload).server)
    if server is None:
        raise NotFound("The server that this work stands for is gone.", hint="It was deleted meanwhile.")
    return server


def _adopted(tx: Tx, server: Server, version: str | None, why: str) -> None:
    server.engine_use, server.engine_decided_at, server.engine_reason = ADOPTED, tx.now, None
    noting.note(tx, server, EngineAction.ADOPTED, {"why": why, **({"version": version} if version else {})})
