"""The daily look at servers behind SSH for what no attempt needs any more: one piece of work for each server, so that
one that is out of reach keeps no other waiting, and everybody sees how it went where.

Nothing is touched while a deployment to the server is under way, nor where this installation has never been.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import structlog

from quarterdeck.deploy.deployments import orphans
from quarterdeck.deploy.deployments.orphans import DAY, Tidied
from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.execution.order import TargetOrder
from quarterdeck.deploy.execution.target import opened
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Timeout, Unavailable
from quarterdeck.kernel.retention import Category, register

KIND = "housekeeping.server"
SECONDS = 600.0
TRIES = 3
"""A server that is out of reach or busy is looked at again, ten minutes later each time, and then the next day."""
PAUSE_SECONDS = 600
SUBJECT = "server:"
log = structlog.get_logger("quarterdeck.housekeeping")


class Place(msgspec.Struct):
    """Row id of the server."""

    server: int


class Outcome(msgspec.Struct, rename="camel", omit_defaults=True):
    """How the look went: what was removed, what could not be, and which parts were not seen (`containers`, …)."""

    removed: int = 0
    kept: dict[str, str] = {}
    unseen: dict[str, str] = {}


def ask(tx: Tx) -> int:
    """Ask for a look at every active server behind SSH that somebody can sign in to, where none waits. Answers how
    many.
    """
    waiting = jobs.list_jobs(tx, jobs.Filter(kind=KIND, states=tuple(jobs.LIVE), limit=1_000_000))
    busy = {job.subject for job in waiting}
    asked = 0
    for server in servers.behind_ssh(tx):
        if f"{SUBJECT}{server.ref}" in busy or not access.is_reachable(tx, server):
            continue
        jobs.enqueue(
            tx,
            jobs.Enqueue(
                KIND,
                Place(server.id),
                server.organization_id,
                subject=f"{SUBJECT}{server.ref}",
                lane="housekeeping",
                capabilities=frozenset({jobs.SERVER}),
                concurrency_key=KIND,  # one at a time: they leave room for the other housekeeping
                max_attempts=TRIES,
            ),
        )
        asked += 1
    return asked


def order(tx: Tx, placement: Placement, server_id: int) -> tuple[TargetOrder, list[int]] | None:
    """How to get there, and all servers that are that machine. None for one that is out of use meanwhile. Raises
    `Unavailable` (`server_busy`) while something is deployed there.
    """
    server = tx.get(Server, server_id)
    if server is None or server.lifecycle != "active" or server.uninstalling_at is not None:
        return None
    places = [one.id for one in access.same_machine(tx, server)]
    under_way = orphans.running_on(tx, places)
    if under_way is not None:
        raise busy(server.name, under_way)
    return placement.target(tx, server), places


def busy(name: str, deployment: str) -> Unavailable:
    return Unavailable(
        f"{deployment} is being deployed to {name}; what nobody needs there is looked for later.",
        code="server_busy",
        hint="Nothing is to be done: it is tried again by itself.",
    )


async def tidy(instance: Any, server_id: int, before: datetime) -> Outcome:
    """Look at one server now. Raises the problem of one that is out of reach, `Unavailable` (`server_busy`) and
    `Timeout`.
    """
    try:
        async with asyncio.timeout(SECONDS):
            return await _tidied(instance, server_id, before)
    except TimeoutError as error:
        raise Timeout(
            f"Looking for what nobody needs took longer than {SECONDS:g} seconds.",
            hint="The server is very slow. What is left is looked for again the next day.",
        ) from error


async def _tidied(instance: Any, server_id: int, before: datetime) -> Outcome:
    found = await instance.db.read(order, instance.placement, server_id)
    if found is None:
        return Outcome()
    wanted, places = found
    async with instance.edges.over(wanted.ssh.login()) as remote:
        if wanted.ssh.login().pin is None:
            await instance.db.write(access.keep_host_key, server_id, remote.host.host_key)
        if instance.uid not in await remote.installations():
            return Outcome()  # nothing was ever put there, or all of it was taken away
        alone = await _is_alone(remote, instance.uid)
        async with opened(wanted, instance.edges) as target:

            async def begun() -> str | None:
                under_way: str | None = await instance.db.read(orphans.running_on, places)
                return under_way

            done: Tidied = await orphans.tidy(instance, target, before, [server_id], alone=alone, busy=begun)
    if done.began is not None:
        raise busy(remote.host.login.called, done.began)
    return Outcome(done.removed, done.kept, done.unseen)


async def _is_alone(remote: Remote, instance: str) -> bool:
    """Whether nobody else's things are in that place, neither of those who sign in to it nor of a control plane that
    runs from it.
    """
    others = [one for one in await remote.installations() if one != instance]
    return not others and not await remote.has_control_plane()


def _about(_tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
    return {job.id: _told(job) for job in some}


def _told(job: jobs.Job) -> jobs.About:
    done = msgspec.json.decode(job.result, type=Outcome) if job.result else None
    details: dict[str, Any] = {}
    if done is not None:
        details = {"removed": done.removed, "kept": len(done.kept), "unseen": ", ".join(sorted(done.unseen)) or None}
    links = {"serverId": (job.subject or "").removeprefix(SUBJECT)}
    return jobs.About(job.kind, links=links, details={key: one for key, one in details.items() if one is not None})


jobs.kinds.register(
    jobs.JobKind(
        KIND,
        payload=Place,
        lane="housekeeping",
        lease_seconds=120,
        backoff_seconds=PAUSE_SECONDS,
        keeps_turn=False,
        capabilities=frozenset({jobs.SERVER}),
        work=jobs.Work("runtime-maintenance", "Look for what nobody needs on a server", _about),
    )
)


@jobs.server_handlers.register(KIND)
async def run(context: jobs.JobContext, instance: Any) -> Outcome:
    """The look that a job asked for."""
    return await tidy(instance, context.read(Place).server, instance.db.clock.now() - DAY)


async def _ask(instance: Any, _before: datetime) -> int:
    asked = await instance.db.write(ask)
    log.info("servers_to_be_tidied", servers=asked)
    return 0


register(
    Category("server-runtimes", "What no attempt needs on servers behind SSH; each is looked at by itself", DAY, _ask)
)
