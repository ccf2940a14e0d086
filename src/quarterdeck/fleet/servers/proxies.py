"""The edge of a server: which kind it is to have, and attempts to bring it up."""

from __future__ import annotations

import re
import shlex

import msgspec
from sqlalchemy import select

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.edge.bootstrap import BOOTSTRAP, EdgeFound, EdgeOrder
from quarterdeck.fleet.servers import noting, servers
from quarterdeck.fleet.servers.model import ProxyAttempt, Server
from quarterdeck.fleet.servers.transitions import FIRST, first_edge, move, move_edge
from quarterdeck.fleet.targets.login import HostKeyPin, LoginOrder
from quarterdeck.fleet.targets.machine import fingerprint
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound

ATTEMPT = re.compile(r"pxy_[0-9a-z]{12}")


class ProxyAction(audit.Action):
    CONFIGURED = "server.edge-proxy-configured"
    BOOTSTRAP_REQUESTED = "server.edge-proxy-bootstrap-requested"


class BootstrapPayload(msgspec.Struct):
    """Row id of the attempt."""

    attempt: int


def configure(tx: Tx, server_ref: str, kind: str) -> Server:
    """Choose the kind; the same one changes nothing. A bootstrap or the next deployment brings it up."""
    server = servers.locked(tx, server_ref)
    servers.check_active(server)
    if server.proxy_kind == kind:
        return server
    before, server.proxy_kind = server.proxy_kind, kind
    move_edge(tx, server, first_edge(kind))
    noting.note(
        tx,
        server,
        ProxyAction.CONFIGURED,
        {"kind": kind, "before": before, "status": server.proxy_status},
    )
    return server


def bootstrap(
    tx: Tx, server_ref: str, *, provider_key: str | None = None, attempt_ref: str | None = None, reason: str = "repair"
) -> ProxyAttempt:
    """Ask for the edge to be brought up. An `attempt_ref` that this server knows answers that attempt again."""
    server = access.held(tx, server_ref)
    servers.check_active(server)
    if attempt_ref is not None:
        known = _named(tx, server, attempt_ref)
        if known is not None:
            return known
    _check(server, provider_key)
    access.check_takes(tx, server)
    attempt = tx.add(
        ProxyAttempt(
            uid=tx.ids.uid(),
            ref=attempt_ref or tx.ids.ref("pxy"),
            server_id=server.id,
            reason=reason,
            status=FIRST,
            error_code=None,
            error_message=None,
            job_id=None,
            started_at=tx.now,
            finished_at=None,
        )
    )
    job = jobs.enqueue(
        tx,
        jobs.Enqueue(
            kind=BOOTSTRAP,
            payload=BootstrapPayload(attempt.id),
            organization_id=server.organization_id,
            subject=f"server:{server.ref}",
            capabilities=frozenset(
                {"deploy"} | ({f"local:{fingerprint()}"} if server.provider == servers.LOCAL else set())
            ),
            concurrency_key=f"server-edge:{server.ref}",
        ),
    )
    attempt.job_id = job.id
    tx.flush()
    noting.note(
        tx,
        server,
        ProxyAction.BOOTSTRAP_REQUESTED,
        {"attemptId": attempt.ref, "reason": reason},
        event="edge-proxy-bootstrap-requested",
    )
    return attempt


def latest(tx: Tx, server: Server, limit: int = 5) -> list[ProxyAttempt]:
    return list(
        tx.scalars(
            select(ProxyAttempt)
            .where(ProxyAttempt.server_id == server.id)
            .order_by(ProxyAttempt.id.desc())
            .limit(limit)
        )
    )


def kind(order: EdgeOrder) -> jobs.JobKind:
    """Bringing up the edge as a job, for this instance's place on its own machine."""

    def assign(tx: Tx, job: jobs.Job) -> EdgeOrder:
        attempt, server = _rows(tx, job)
        access.check_takes(tx, server)  # deactivated, or its machine being left, since it was asked for
        move(tx, attempt, "running")
        servers.observed(tx, server.id)
        if server.proxy_kind != "none":
            move_edge(tx, server, "starting")
        tx.flush()
        tx.publish("servers")
        if server.provider == servers.LOCAL:
            return order
        return EdgeOrder("", ssh=LoginOrder.of(access.login(tx, server)), instance=order.instance)

    def finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
        attempt, server = _rows(tx, job)
        found, error = EdgeFound(0, 0), None
        if outcome.state == "succeeded":
            found = msgspec.json.decode(outcome.result or "", type=EdgeFound)
            if found.fingerprint:
                access.keep_host_key(tx, server.id, HostKeyPin(found.fingerprint, found.algorithm))
        else:
            error = (
                outcome.error_code or "edge_proxy_start_failed",
                outcome.error_message or "The attempt was canceled before the edge answered.",
            )
        move(tx, attempt, outcome.state, error=error)
        servers.observe_edge(
            tx, server.id, error=error, http_port=found.http_port or None, https_port=found.https_port or None
        )
        tx.flush()
        tx.publish("servers")

    return jobs.JobKind(
        name=BOOTSTRAP,
        payload=BootstrapPayload,
        assign=assign,
        finish=finish,
        unsettled=_unsettled,
        lease_seconds=15,
        work=jobs.Work("proxy-bootstrap", "Bring up an edge", noting.about("servers.bootstrap-proxy"), _again),
    )


def _unsettled(tx: Tx) -> list[int]:
    mine = ProxyAttempt.finished_at.is_(None) & ProxyAttempt.job_id.is_not(None)
    return [row[0] for row in tx.execute(select(ProxyAttempt.job_id).where(mine))]


def _again(tx: Tx, job: jobs.Job) -> jobs.Job:
    """An attempt that has ended stays as it is: a retry is a new one."""
    _, server = _rows(tx, job)
    made = bootstrap(tx, server.ref, reason="retry")
    if made.job_id is None:
        raise NotFound(f"The attempt {made.ref} has no job.")
    return jobs.get(tx, made.job_id)


def _named(tx: Tx, server: Server, ref: str) -> ProxyAttempt | None:
    if not ATTEMPT.fullmatch(ref):
        raise Invalid(
            f"{ref[:60]!r} is not the id of an attempt.",
            hint="It is pxy_ and twelve lower-case letters or digits. Leave it out to have one made.",
            field="attemptId",
        )
    tx.lock(f"proxy-attempt:{ref}")
    known = tx.first(select(ProxyAttempt).where(ProxyAttempt.ref == ref))
    if known is not None and known.server_id != server.id:
        raise Conflict(f"The attempt {ref} is another server's.", hint="Leave attemptId out to have one made.")
    return known


def _check(server: Server, provider_key: str | None) -> None:
    if server.proxy_kind == "none":
        raise Invalid(
            f"{server.name} has no edge proxy.",
            hint=f"Choose one first: qd server edge {shlex.quote(server.name)} caddy, or its page in the console.",
            field="serverId",
        )
    if provider_key is not None and provider_key != server.proxy_kind:
        raise Invalid(
            f"The edge of {server.name} is {server.proxy_kind}, not {provider_key[:60]}.",
            hint="Leave edgeProxyProviderKey out, or configure the other kind first.",
            field="edgeProxyProviderKey",
        )


def _rows(tx: Tx, job: jobs.Job) -> tuple[ProxyAttempt, Server]:
    attempt = tx.get(ProxyAttempt, job.read(BootstrapPayload).attempt)
    server = tx.get(Server, attempt.server_id) if attempt is not None else None
    if attempt is None or server is None:
        raise NotFound(
            "The attempt to bring up an edge that this work stands for is gone.",
            hint="Its server was deleted meanwhile. The others: qd server ls",
        )
    return attempt, server
