"""Facts and problems of a running installation: what is there, what is missing, in a few words each."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import structlog

from quarterdeck import __version__, front_door
from quarterdeck.backups import record
from quarterdeck.fleet.docker import system
from quarterdeck.fleet.docker.address import own_engine
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.edge import certificates
from quarterdeck.fleet.edge.program import caddy_program
from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.db.migrate import pending, revisions
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.presence import Neighbour
from quarterdeck.providers import NO_WORKER, SECONDS

if TYPE_CHECKING:
    from quarterdeck.instance import Instance

log = structlog.get_logger("quarterdeck.doctor")
CURRENT = "current"
Facts = dict[str, Any]
Found = tuple[Facts, list[str]]


async def examine(instance: Instance) -> dict[str, Any]:
    """`{"facts": {…}, "problems": […], "checks": {…}}`. Never raises and takes no longer than a look."""
    looks: dict[str, Awaitable[Found]] = {
        "database": _database(instance),
        "events": _events(instance),
        "schedules": _schedules(instance),
        "docker": _docker(instance),
        "edge": _edge(instance),
        "frontDoor": _front_door(instance),
        "certificates": _certificates(instance),
        "backup": asyncio.to_thread(_backup, instance),
        "disk": asyncio.to_thread(_disk, instance),
    }
    facts: Facts = {"version": __version__, "time": wire_time(instance.db.clock.now())}
    problems: list[str] = []
    for found, said in await asyncio.gather(*(_within(name, look) for name, look in looks.items())):
        facts |= found
        problems += said
    more, said = _workers(instance)
    facts |= more
    for number, problem in enumerate([*problems, *said], 1):
        facts[f"problem{number}"] = problem
    # Migrations that could not be looked at are not known to be wrong.
    checks = {"database": "databaseVersion" in facts, "migrations": facts.get("migrations", CURRENT) == CURRENT}
    return {"facts": facts, "problems": [*problems, *said], "checks": checks}


async def _within(name: str, look: Awaitable[Found]) -> Found:
    try:
        async with asyncio.timeout(SECONDS):
            return await look
    except TimeoutError:
        return {name: "no answer"}, [
            f"The look at {name} took longer than {SECONDS:g} s. Look again when less is going on."
        ]
    except Problem as problem:
        return {name: problem.code}, [problem.message]
    except Exception as error:
        log.exception("doctor_failed", look=name)
        return {name: "unknown"}, [f"The look at {name} failed ({type(error).__name__}); the server's log says more."]


async def _database(instance: Instance) -> Found:
    def ask(tx: Tx) -> str:
        about = "SELECT sqlite_version()" if tx.dialect == "sqlite" else "SHOW server_version"
        return str(tx.execute(about).scalar())

    version = await instance.db.read(ask)
    waiting = await asyncio.to_thread(pending, instance.database_address)
    facts = {
        "database": instance.db.dialect,
        "databaseVersion": version,
        "schema": revisions()[-1 - len(waiting)] if len(waiting) < len(revisions()) else "none",
        "migrations": CURRENT if not waiting else f"{len(waiting)} pending",
    }
    problems = [_pending(len(waiting))] if waiting else []
    if instance.standing is not None and instance.standing.others:
        if instance.relay is not None and not instance.relay.connected:
            problems.append("What other servers tell is not heard now, so followers learn of it by looking themselves.")
        facts |= {f"serverBeside{number}": _told(one) for number, one in enumerate(instance.standing.others, 1)}
        problems += [
            f"The server {one.name} is of release {one.version}, and this one of {__version__}; bring both to the same."
            for one in instance.standing.others
            if one.version != __version__
        ]
    if instance.sole is not None and not instance.sole.held:
        facts["databaseLock"] = "lost"
        why = f" {instance.sole.problem.message}" if instance.sole.problem is not None else ""
        problems.append(f"This server does not hold its database, so it begins no job and changes nothing.{why}")
    return facts, problems


def _pending(count: int) -> str:
    if count == 1:
        return "One migration is pending; restart the server to apply it."
    return f"{count} migrations are pending; restart the server to apply them."


async def _events(instance: Instance) -> Found:
    """Subscribers that an event stops: nothing after it reaches them."""
    found = await instance.db.read(events.stuck)
    facts = {f"subscriberStopped{number}": one.name for number, one in enumerate(found, 1)}
    return facts, [
        f"The subscriber {one.name} has failed {one.failures} times ({one.error}) at an event {one.type} of "
        f"{wire_time(one.since)}, and gets nothing that came after it. It is tried again every five minutes at most; "
        "event_not_delivered in the server's log says what fails: mend that, or report it with a support bundle."
        for one in found
    ]


async def _schedules(instance: Instance) -> Found:
    """Schedules that this program cannot fire: what they ask for is not done."""
    found = await instance.db.read(jobs.unfit)
    facts = {f"scheduleStopped{number}": one.name for number, one in enumerate(found, 1)}
    return facts, [
        f"The schedule {one.name} cannot be fired: {one.problem} It is tried again every five minutes; install the "
        "release that it was made by, or report it with a support bundle."
        for one in found
    ]


def _told(one: Neighbour) -> str:
    return f"{one.name}, release {one.version}, since {wire_time(one.started_at)}"


async def _docker(instance: Instance) -> Found:
    try:
        async with await Engine.connect(own_engine(instance.placement.docker_host)) as engine:
            return {"docker": (await system.version(engine)).version}, []
    except Problem as problem:
        # No problem of the installation: what can be run without an engine runs as host processes.
        return {"docker": f"none: {problem.message}"}, []


async def _edge(instance: Instance) -> Found:
    if instance.edge is None:
        return {"edge": "off"}, []
    status = await instance.edge.status()
    facts: Facts = {"edge": "running" if status.running else "stopped", "edgeRoutes": len(status.routes)}
    if status.ports is not None:
        facts |= {"edgeHttpPort": status.ports.http, "edgeHttpsPort": status.ports.https}
    if status.running:
        return facts, []
    if not status.routes or _needs_edge(instance):
        return facts, []  # the front door says it, with what is in the way
    waiting = len(status.routes)
    needed = "one route needs" if waiting == 1 else f"{waiting} routes need"
    return facts, [" ".join([f"The edge is not running, and {needed} it.", *await instance.edge.in_the_way()])]


def _needs_edge(instance: Instance) -> bool:
    """Whether people reach this server itself through the edge."""
    wanted = front_door.route(instance.settings)
    return wanted is not None and wanted.tls != "disabled"


async def _front_door(instance: Instance) -> Found:
    settings = instance.settings
    if settings.public_url is None:
        return {}, []
    facts: Facts = {"publicUrl": settings.public_url}
    wanted = front_door.route(settings)
    if wanted is None or instance.edge is None or not _needs_edge(instance):
        return facts, []
    if not (await instance.edge.status()).running:
        http, https, _ = front_door.place(settings)
        needs = (
            f"It needs the ports {http or 'named'} and {https or 'named'}; the server's log says what is in the way."
        )
        why = await instance.edge.in_the_way() or [needs]
        return facts, [" ".join([f"The edge is not running, so nobody reaches {settings.public_url}.", *why])]
    shown = await front_door.certificate(instance.edge, settings)
    if shown is None:
        facts["certificate"] = "missing"
    else:
        facts |= {"certificateIssuer": shown.issuer, "certificateEnds": wire_time(shown.ends)}
    unusable = await asyncio.to_thread(front_door.unusable_files, settings)
    if unusable is not None:
        files = f"{settings.tls_certificate} and {settings.tls_key}"
        keeps = "Until they are mended the edge serves with what it has, and a new application gets no address."
        return facts, [f"{files} {unusable}. {keeps}"]
    if shown is None and wanted.tls != "auto":
        return facts, [f"The edge has no certificate for {wanted.hostnames[0]}; the server's log says why."]
    if wanted.tls == "auto":
        looked = await certificates.all_shown(instance.edge, wanted.hostnames)
        lacking = await certificates.lacking(instance.edge, instance.db.clock.now(), looked)
        return facts, [certificates.told(one) for one in lacking]
    if shown is not None and shown.ends <= instance.db.clock.now():
        return facts, [f"The certificate of {wanted.hostnames[0]} ended on {wire_time(shown.ends)}."]
    return facts, []


async def _certificates(instance: Instance) -> Found:
    """Names of applications that the edge asks a certificate authority for; the front door is looked at by itself."""
    if instance.edge is None or not await instance.edge.answers():
        return {}, []
    own = front_door.route(instance.settings)
    names = set(await certificates.asked_for(instance.edge)).difference(own.hostnames if own is not None else ())
    looked = await certificates.all_shown(instance.edge, sorted(names))
    found = await certificates.lacking(instance.edge, instance.db.clock.now(), looked)
    return {}, [certificates.told(one) for one in found]


def _backup(instance: Instance) -> Found:
    last = record.last(instance.data)
    return {"lastBackup": last.created_at if last is not None else "never"}, []


def _disk(instance: Instance) -> Found:
    shortage = instance.data.shortage()
    facts = {
        "diskFree": f"{instance.data.free():.0%}",
        "dataDirectory": str(instance.data.path),
        "git": shutil.which("git") or "missing",
        "caddy": str(caddy_program()),
    }
    problems = [] if facts["git"] != "missing" else ["The program git is missing; sources cannot be fetched with it."]
    return facts, [*problems, *([shortage.message] if shortage is not None else [])]


def _workers(instance: Instance) -> Found:
    sessions = instance.jobs.sessions
    remote = [session for session in sessions if session.worker_id is not None]
    capabilities = sorted({capability for session in sessions for capability in session.capabilities})
    here = not instance.settings.no_worker
    facts = {
        "worker": "in-process" if here else "remote",
        "workers": len(remote) + int(here),
        "capabilities": ", ".join(one for one in capabilities if ":" not in one),
    }
    lost = not here and not remote
    return facts, [NO_WORKER] if lost else []
