"""What needs the reader, what runs, how things are, what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from quarterdeck.access import Access
from quarterdeck.console.domain import asking, infra_asking, ledger, secret_inbox, trail
from quarterdeck.console.domain import deployments as attempts
from quarterdeck.console.domain.parts import partly
from quarterdeck.console.domain.places import owners_of
from quarterdeck.console.domain.saying import said
from quarterdeck.console.views.home import Happening, Home, NeedsYou, RunningNow, Tile
from quarterdeck.console.views.shell import Count
from quarterdeck.console.words import counted
from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.deployments.records import LABELS, PHASES
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.observation.model import Observation
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal
from quarterdeck.workspace import projects
from quarterdeck.workspace.projects import organization_of

SERVES = " The version before keeps serving."
"""What an error says of a version that it cannot name; a page names it."""
MOST, RECENT = 20, timedelta(days=14)
TROUBLE = ("exited", "degraded", "unhealthy", "restarting", "unknown")


SHOWN = {
    "deployments": "deploy:deployments.list",
    "resources": "deploy:resources.list",
    "servers": "deploy:servers.list",
    "jobs": "deploy:operator-work.list",
    "audit": "deploy:audit-events.list",
    "projects": "deploy:projects.list",
    "tasks": "tasks:tasks.view",
    "infra": "infra:specs.view",
    "infra-jobs": "infra:jobs.view",
}
"""What a part of the page tells of, and the permission that this takes."""
SECRETS = frozenset({"broker:secret.request", "broker:secret.approve"})
"""Either, for anything: requests are shown to those whom they concern."""


def seen_by(access: Access, who: Principal) -> frozenset[str]:
    """The words of `SHOWN` that the reader may see."""
    whole = {word for word, permission in SHOWN.items() if access.decide(who, permission).allowed}
    held = access.permissions(who.id, who.organization_id) & (who.scopes or SECRETS) | partly(access, who)
    return frozenset(whole | {"secrets"} if held & SECRETS else whole)


def view(tx: Tx, instance: Any, sees: frozenset[str]) -> Home:
    needs = _needs(tx, instance.access, sees, _waiting(tx, sees))
    return Home(
        needs=needs and needs[:MOST],
        running=_running(tx, instance.access, sees),
        tiles=_tiles(tx, instance, sees),
        activity=_activity(tx) if "audit" in sees else None,
        projects=projects.count(tx) if "projects" in sees else None,
    )


def counts(tx: Tx, access: Access, sees: frozenset[str]) -> dict[str, Count]:
    """Numbers beside the rooms. That of home is violet where people are asked and nothing is broken."""
    there = _waiting(tx, sees)
    needs = _needs(tx, access, sees, there) or ()
    found = {"home": Count("ask" if {one.tone for one in needs} == {"ask"} else "bad", len(needs))}
    if "tasks" in sees:
        found["tasks"] = asking.count(tx, access)
    if "secrets" in sees:
        found["secrets"] = secret_inbox.count(tx, access)
    if "infra-jobs" in sees and there is not None:
        found["infra"] = infra_asking.count(tx, access, there)
    if "deployments" in sees:
        active = tx.execute(
            select(func.count())
            .select_from(Deployment)
            .where(Deployment.organization_id == organization_of(tx), Deployment.status.in_(ACTIVE))
        ).scalar_one()
        found["projects"] = Count("run", int(active))
    if "jobs" in sees:
        wanted = jobs.Filter(organization_id=organization_of(tx), states=(jobs.State.RUNNING,))
        found["jobs"] = Count("run", jobs.count(tx, wanted))
    return found


def _waiting(tx: Tx, sees: frozenset[str]) -> infra_asking.Waiting | None:
    return infra_asking.look(tx) if {"infra", "infra-jobs"} & sees else None


def _needs(
    tx: Tx, access: Access, sees: frozenset[str], waiting: infra_asking.Waiting | None
) -> tuple[NeedsYou, ...] | None:
    """Questions come before failures: somebody waits for the answer."""
    mine = [asking.needs(tx, access)] if "tasks" in sees else []
    mine += [secret_inbox.needs(tx, access)] if "secrets" in sees else []
    mine += [infra_asking.needs(tx, access, waiting)] if "infra" in sees and waiting is not None else []
    looks = {"deployments": _failed, "resources": _down, "servers": _edges}
    mine += [look(tx) for word, look in looks.items() if word in sees]
    return tuple(item for items in mine for item in items) if mine else None


def _latest_failed(tx: Tx) -> list[tuple[Resource, Deployment]]:
    rows = tx.session.execute(
        select(Resource, Deployment)
        .join(Deployment, Deployment.id == Resource.latest_id)
        .where(
            Resource.organization_id == organization_of(tx),
            Resource.lifecycle == "active",
            Deployment.status.in_(("failed", "rolled-back")),
            Deployment.created_at > tx.now - RECENT,
        )
        .order_by(Deployment.id.desc())
        .limit(MOST)
    )
    return [(resource, deployment) for resource, deployment in rows]


def _failed(tx: Tx) -> tuple[NeedsYou, ...]:
    items = []
    for resource, attempt in _latest_failed(tx):
        found = owners_of(tx, resource)
        phase = f"{LABELS.get(attempt.error_phase, attempt.error_phase)}: " if attempt.error_phase else ""
        meta = [f"{phase}{(attempt.error_message or 'it failed').removesuffix(SERVES).rstrip('.')}"]
        if note := attempts.serving_note(tx, found, attempt):
            meta.append(note)
        items.append(
            NeedsYou(
                "bad",
                f"{found.title} v{attempt.number} failed to deploy",
                f"{found.href}/deployments/{attempt.number}",
                tuple(meta),
                "See why",
            )
        )
    return tuple(items)


def _down(tx: Tx) -> tuple[NeedsYou, ...]:
    """What should run and does not."""
    rows = tx.session.execute(
        select(Resource, Observation)
        .join(Observation, Observation.resource_id == Resource.id)
        .where(
            Resource.organization_id == organization_of(tx),
            Resource.lifecycle == "active",
            Resource.wanted == "running",
            Resource.serving_id == Observation.deployment_id,
            Observation.lifecycle.in_(TROUBLE),
        )
        .limit(MOST)
    )
    items = []
    for resource, seen in rows:
        found = owners_of(tx, resource)
        tone = "bad" if seen.lifecycle in {"exited", "unhealthy"} else "warn"
        meta = (seen.message or f"seen {seen.lifecycle}", counted(seen.restarts, "restart"))
        if seen.lifecycle == "unknown":
            told = f"Nobody knows how {found.title} is"
            items.append(NeedsYou(tone, told, "/console/fleet", meta, "Look at its server"))
            continue
        items.append(NeedsYou(tone, f"{found.title} is {seen.lifecycle}", f"{found.href}/logs", meta, "Read its log"))
    return tuple(items)


def _edges(tx: Tx) -> tuple[NeedsYou, ...]:
    failed = tx.scalars(
        select(Server).where(
            Server.organization_id == organization_of(tx),
            Server.lifecycle == "active",
            Server.proxy_status == "failed",
        )
    )
    return tuple(
        NeedsYou(
            "bad",
            f"The edge of {server.name} does not run",
            "/console/fleet",
            (server.proxy_error_message or server.proxy_error_code or "no reason was given",),
            "See fleet",
        )
        for server in failed
    )


def _running(tx: Tx, access: Access, sees: frozenset[str]) -> tuple[RunningNow, ...] | None:
    """Deployments, infrastructure, tasks, each as far as the reader may see them."""
    deploying = _deploying(tx) if "deployments" in sees else None
    tasks = asking.going_on(tx, access, MOST) if "tasks" in sees else None
    infrastructure = infra_asking.going_on(tx, MOST) if "infra-jobs" in sees else None
    parts = (deploying, infrastructure, tasks)
    return None if all(one is None for one in parts) else tuple(item for one in parts for item in one or ())


def _deploying(tx: Tx) -> tuple[RunningNow, ...]:
    active = list(
        tx.scalars(
            select(Deployment)
            .where(Deployment.organization_id == organization_of(tx), Deployment.status.in_(ACTIVE))
            .order_by(Deployment.id.desc())
            .limit(MOST)
        )
    )
    if not active:
        return ()
    recorded: dict[int, list[Phase]] = {}
    for phase in tx.scalars(select(Phase).where(Phase.deployment_id.in_([one.id for one in active]))):
        recorded.setdefault(phase.deployment_id, []).append(phase)
    items = []
    for attempt in active:
        resource = tx.get(Resource, attempt.resource_id)
        if resource is None:
            continue
        found = owners_of(tx, resource)
        phases = recorded.get(attempt.id, [])
        done = sum(phase.status in {"succeeded", "skipped"} for phase in phases)
        now = next((phase for phase in phases if phase.status == "running"), None)
        detail = f"{LABELS[now.phase].lower()}{f', {now.detail}' if now.detail else ''}" if now else "waiting"
        items.append(
            RunningNow(
                f"Deploy {found.title} v{attempt.number}",
                f"{found.href}/deployments/{attempt.number}",
                detail,
                round(100 * done / len(PHASES)),
                attempt.created_at,
            )
        )
    return tuple(items)


def _tiles(tx: Tx, instance: Any, sees: frozenset[str]) -> tuple[Tile, ...]:
    workers = len(ledger.workers(instance))
    tiles: list[Tile] = []
    if "resources" in sees:
        tiles.append(_serving(tx))
    if "servers" in sees:
        tone, told = ("good", "Connected") if workers else ("bad", "None is connected")
        tiles += [_servers(tx), Tile("Workers", str(workers), tone, told, "/console/fleet")]
    if "jobs" in sees:
        tiles.append(_ledger(tx, workers))
    return tuple(tiles)


def _serving(tx: Tx) -> Tile:
    serving = tx.execute(
        select(func.count())
        .select_from(Resource)
        .where(
            Resource.organization_id == organization_of(tx),
            Resource.serving_id.is_not(None),
            Resource.lifecycle == "active",
        )
    ).scalar_one()
    down = len(_down(tx))
    return Tile(
        "Serving",
        f"{serving - down} of {serving}",
        "bad" if down else "good",
        f"{down} not running or unknown" if down else "All running",
        "/console/projects",
    )


def _servers(tx: Tx) -> Tile:
    servers = list(
        tx.scalars(select(Server).where(Server.organization_id == organization_of(tx), Server.lifecycle == "active"))
    )
    ready = sum(server.proxy_status in {"ready", "disabled"} for server in servers)
    edge = ("good", "All edges ready") if ready == len(servers) else ("idle", "Edge not started yet")
    if any(server.proxy_status == "failed" for server in servers):
        edge = ("bad", "An edge failed")
    return Tile("Servers", f"{ready} of {len(servers)}", edge[0], edge[1], "/console/fleet")


def _ledger(tx: Tx, workers: int) -> Tile:
    organization = organization_of(tx)
    waiting = jobs.count(tx, jobs.Filter(organization_id=organization, states=(jobs.State.PENDING,)))
    running = jobs.count(tx, jobs.Filter(organization_id=organization, states=(jobs.State.RUNNING,)))
    tone = "warn" if waiting and not workers else "good"
    return Tile("Ledger", f"{running} running", tone, f"{waiting} waiting", "/console/jobs")


def _activity(tx: Tx) -> tuple[Happening, ...]:
    recent = trail.recent(tx, 40)
    shown = [row for row in recent if not row.action.startswith(("session.", "user."))][:10]
    tones = {"success": "good", "failure": "warn", "denied": "bad"}
    return tuple(
        Happening(tones[row.outcome], row.who, said(row.action, row.outcome), row.resource, row.href, row.at)
        for row in shown
    )
