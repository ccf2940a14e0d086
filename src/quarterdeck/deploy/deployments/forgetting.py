"""The history of a server that is deactivated and will not come back: attempts that ran there and nothing needs."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from quarterdeck.deploy.deployments.archiving import LINEAGE, STREAM, erase
from quarterdeck.deploy.deployments.following import CHANGED, RETIRE, SERVER_LEFT
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import TERMINAL
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.transitions import serve
from quarterdeck.fleet.servers import lifecycle, servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.removal import HISTORY
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound
from quarterdeck.kernel.protocols import DeletionBlocker

FEW = 5


def placed(tx: Tx, server_ref: str) -> list[int]:
    """Row ids of the resources that have a history on the server, oldest first."""
    server = servers.find(tx, server_ref)
    mine = select(Deployment.resource_id).where(Deployment.server_id == server.id).distinct()
    return list(tx.scalars(mine.order_by(Deployment.resource_id)))


def needed(tx: Tx, server: Server) -> list[str]:
    """Names of the resources in use that stay on the server: they serve there, or their newest attempt was made there,
    from which the number of the next one follows. They have to be deployed somewhere else, or archived.
    """
    here = select(Deployment.id).where(Deployment.server_id == server.id)
    there = Resource.serving_id.in_(here) | Resource.latest_id.in_(here)
    found = select(Resource.name).where(Resource.lifecycle == "active", there)
    return list(tx.scalars(found.order_by(Resource.name, Resource.id)))


async def remove(
    instance: Any, server_ref: str, confirmation: str, registry: Sequence[DeletionBlocker], *, with_history: bool
) -> int:
    """Delete a deactivated server, `with_history` together with what was deployed to it: resource by resource, each in
    a unit of its own, then the server. What is broken off in between goes on when it is asked for again. Answers how
    many deployments were erased. Raises what `lifecycle.delete` raises, before anything goes where that is known.
    """
    db = instance.db
    gone = 0
    if with_history:
        await db.read(_check, server_ref, confirmation, registry)
        for resource_id in await db.read(placed, server_ref):
            erased: list[str] = await db.write(forget, server_ref, resource_id)
            gone += len(erased)
            for ref in erased:
                await instance.logs.forget(f"{STREAM}{ref}")
    await db.write(lifecycle.delete, server_ref, confirmation, registry)
    return gone


def _check(tx: Tx, server_ref: str, confirmation: str, registry: Sequence[DeletionBlocker]) -> None:
    server = servers.find(tx, server_ref)
    lifecycle.check_confirmed(server, confirmation)
    staying = needed(tx, server)
    if staying:
        raise Conflict(
            f"{server.name} is needed by {', '.join(staying[:FEW])}.",
            code="server_delete_blocked",
            hint="Deploy each to another server (qd deploy … --server OTHER), or stop and archive it "
            "(qd stop RESOURCE, qd archive RESOURCE).",
            relatedEntityId=server.ref,
            blockers=["resource-placement"],
        )
    lifecycle.check_deletable(tx, server, registry, but=(HISTORY,))


def forget(tx: Tx, server_ref: str, resource_id: int) -> list[str]:
    """Erase what one resource did on the server: attempts, their phases and events. Answers their references; none of
    a resource in use that is still placed there. What else was kept of them, artefacts and what is to be cleared away,
    is given up: nobody signs in to that machine any more.

    Raises `Conflict` (`server_delete_blocked`) for a server that still takes work.
    """
    resource = tx.get(Resource, resource_id)
    if resource is None:
        return []
    resources.hold(tx, resource)
    server = servers.locked(tx, server_ref)
    if server.lifecycle == "active" or server.uninstalling_at is not None:
        raise Conflict(
            f"{server.name} is still active, so its history is kept.",
            code="server_delete_blocked",
            hint=f"Deactivate it first: qd server deactivate {shlex.quote(server.name)}",
            relatedEntityId=server.ref,
        )
    mine = select(Deployment).where(Deployment.resource_id == resource.id, Deployment.server_id == server.id)
    rows = list(tx.scalars(mine.order_by(Deployment.id)))
    ids = {row.id for row in rows}
    if resource.lifecycle == "active" and ids & {resource.serving_id, resource.latest_id}:
        return []
    rows = [row for row in rows if row.status in TERMINAL and _given_up(tx, row)]
    ids = {row.id for row in rows}
    if resource.serving_id in ids:
        serve(resource, None)
        tx.publish(CHANGED)
    for column in LINEAGE:
        named = getattr(Deployment, column)
        others = update(Deployment).where(Deployment.resource_id == resource.id, named.in_(sorted(ids)))
        tx.execute(others.values({column: None}))
    refs = [row.ref for row in rows]
    erase(tx, resource, rows)
    return refs


def _given_up(tx: Tx, deployment: Deployment) -> bool:
    """Nobody comes back for what it left. Whether that is so now: who is at work on it is told to stop, and is in the
    way until then.
    """
    for job in _clearing(tx, deployment):
        with contextlib.suppress(Conflict, NotFound), tx.savepoint():
            jobs.cancel(tx, job.id, SERVER_LEFT)
    return not _clearing(tx, deployment)


def _clearing(tx: Tx, deployment: Deployment) -> Sequence[jobs.Job]:
    about = f"{STREAM}{deployment.ref}"
    return jobs.list_jobs(tx, jobs.Filter(subject=about, kind=RETIRE, states=tuple(jobs.LIVE), limit=10))
