"""The views across the rooms: hosts and workers, jobs, sessions, search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select

from quarterdeck.console.domain.places import href, subject_of
from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.device import DeviceView
from quarterdeck.console.views.ledger import Found as Answer
from quarterdeck.console.views.ledger import (
    HostRow,
    JobList,
    JobRow,
    JobView,
    SessionRow,
)
from quarterdeck.console.views.shell import Note
from quarterdeck.console.words import counted, exact
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.observation import observations
from quarterdeck.deploy.observation.model import Observation
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.work import work as operator_work
from quarterdeck.deploy.work.work import Seen
from quarterdeck.fleet.servers import health, sightings
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets.facts import Room
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity import devices, sessions
from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel import jobs as work
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.jobs.transitions import BURY, RECOVER
from quarterdeck.workspace.model import Environment, Project
from quarterdeck.workspace.projects import organization_of

STALE_SECONDS = 45
STATES = {"healthy": "ready", "degraded": "degraded", "unreachable": "unreachable", "unknown": "unknown"}
"""Of a server, by what is known of its health."""


def connected(instance: Any) -> tuple[Any, ...]:
    """Sessions of workers with this process, the in-process one included."""
    return tuple(instance.jobs.sessions)


def workers(instance: Any) -> tuple[Any, ...]:
    """Those of them that take any work: the program's own session for its own kinds is no worker to anybody."""
    return tuple(session for session in connected(instance) if not session.needs)


def _out_of_reach(tx: Tx, organization_id: int) -> dict[int, str | None]:
    """Servers on which something serves that could not be looked at, and why, by row id."""
    rows = tx.session.execute(
        select(Deployment.server_id, Observation.message)
        .select_from(Resource)
        .join(Observation, Observation.resource_id == Resource.id)
        .join(Deployment, Deployment.id == Resource.serving_id)
        .where(
            Resource.organization_id == organization_id,
            Resource.lifecycle == "active",
            Resource.wanted == "running",
            Observation.deployment_id == Resource.serving_id,
            Observation.lifecycle == "unknown",
        )
    )
    return {row.server_id: row.message for row in rows}


def room_words(room: Room | None) -> str:
    """`9.3 GiB of 40.0 GiB free`, empty where nobody knows."""
    if room is None:
        return ""
    of = f" of {sightings.gib(room.size)}" if room.size else ""
    return f"{sightings.gib(room.free)}{of} free"


def hosts(tx: Tx, instance: Any) -> tuple[HostRow, ...]:
    organization = organization_of(tx)
    away, beyond = _out_of_reach(tx, organization), observations.unwatched(tx, organization)
    rows = []
    mine = select(Server).where(Server.organization_id == organization).order_by(Server.name).limit(500)
    free, size = instance.data.room()
    room = Room(free, size, "the data directory's disk")
    for one in health.of(tx, list(tx.scalars(mine)), room):
        server = one.server
        state = STATES[one.status]
        if server.proxy_status == "starting" and state == "ready":
            state = "connecting"
        if server.id in away:
            state = "unreachable"
        if server.lifecycle != "active":
            state = "inactive"
        why = one.message if server.lifecycle == "active" else ""
        detail = [server.host, server.provider.replace("-", " "), *filter(None, [why or away.get(server.id)])]
        if server.id in beyond:
            detail.append(f"not watched: only {observations.MOST_SERVERS} servers are")
        ports = [str(port) for port in (server.edge_http_port, server.edge_https_port) if port]
        rows.append(
            HostRow(
                "server",
                server.name,
                ("server", state, None),
                ", ".join(detail),
                (f"{server.proxy_kind} on {' and '.join(ports)}",) if ports else (server.proxy_kind,),
                "",
                one.seen.reached_at if one.seen is not None else server.proxy_succeeded_at,
                f"/console/fleet/servers/{server.ref}",
                room=room_words(one.room),
            )
        )
    here = [session for session in workers(instance) if session.worker_id is None]
    for session in here:
        capabilities = tuple(sorted(word for word in session.capabilities if ":" not in word))
        rows.append(HostRow("worker", "in-process", ("worker", "online", None), "this program", capabilities, "", None))
    online = {session.worker_id for session in connected(instance)}
    for worker in tx.scalars(
        select(Worker).where(Worker.organization_id == organization, Worker.revoked_at.is_(None)).order_by(Worker.name)
    ):
        alive = worker.id in online or (
            worker.last_seen_at is not None and (tx.now - worker.last_seen_at).total_seconds() < STALE_SECONDS
        )
        state = "draining" if worker.drain_requested_at else "online" if alive else "offline"
        rows.append(
            HostRow(
                "worker",
                worker.name,
                ("worker", state, None),
                worker.version or "never connected",
                tuple(sorted(word for word in worker.capabilities if ":" not in word)),
                counted(worker.used_slots, "job") if worker.used_slots else "",
                worker.last_seen_at,
            )
        )
    return tuple(rows)


def seats(instance: Any) -> tuple[work.Seat, ...]:
    """What the connected workers could take now."""
    return tuple(session.seat for session in connected(instance))


def jobs(tx: Tx, connected: tuple[work.Seat, ...], *, state: str, before: str, limit: int) -> JobList:
    """The ledger of the organization, newest first; `before` is a short reference."""
    organization_id, with_own = operator_work.scope(tx)
    wanted = work.Filter(
        organization_id=organization_id,
        with_own=with_own,
        other_kinds=work.kinds.unlisted(),
        states=(work.State(state),) if state else (),
        before=_job_id(before) if before else None,
        limit=limit + 1,
    )
    found = work.list(tx, wanted)
    shown = found[:limit]
    return JobList(
        tuple(_job_row(tx, one) for one in operator_work.seen(tx, shown, connected)),
        shown[-1].short_ref if len(found) > limit and shown else None,
    )


def _job_id(ref: str) -> int:
    try:
        return work.short_ref_id(ref)
    except ValueError:
        raise NotFound(f"There is no job {ref[:20]!r}.", hint="It may have been pruned. Look in Jobs.") from None


def _job_row(tx: Tx, seen: Seen) -> JobRow:
    job = seen.job
    subject, address = subject_of(tx, job.subject)
    waits = seen.waiting.message if seen.waiting else ""
    word, came_to = seen.about.came_to
    started, ended = job.started_at, job.finished_at
    owner = job.owner or ""
    return JobRow(
        ref=job.short_ref,
        kind=seen.title,
        subject=subject,
        subject_href=address,
        state=job.state,
        attempts=_tries(job.attempts, job.max_attempts),
        worker="in-process" if owner.startswith("process:") else owner,
        queued=job.created_at,
        started=started,
        seconds=(ended - started).total_seconds() if started and ended else None,
        cause=waits or job.error_message or job.cancel_reason or came_to,
        work=job.work_ref,
        word=word,
    )


def _tries(count: int, most: int) -> str:
    """What was interrupted begins once more, beyond the tries that a failure has."""
    return f"{count} of {most}" if count <= most else f"{count}, resumed"


def _own_job(tx: Tx, ref: str) -> work.Job:
    return operator_work.find(tx, work.work_ref(_job_id(ref)))


@dataclass(frozen=True, slots=True)
class May:
    """Which acts the reader's permissions allow."""

    cancel: bool
    retry: bool
    recover: bool
    give_up: bool


def job(tx: Tx, ref: str, connected: tuple[work.Seat, ...], may: May) -> JobView:
    found = _own_job(tx, ref)
    (seen,) = operator_work.seen(tx, [found], connected, whole=True)
    row = _job_row(tx, seen)
    facts = [
        Fact("Work", found.work_ref, code=True),
        Fact("Kind", found.kind, code=True),
        Fact("Identifier", found.uid, code=True),
        Fact("Lane", found.lane),
        Fact("Tries", row.attempts),
        Fact("Queued", exact(found.created_at)),
    ]
    if found.started_at:
        facts.append(Fact("Started", exact(found.started_at)))
    if found.finished_at:
        facts.append(Fact("Ended", exact(found.finished_at)))
    if row.worker:
        facts.append(Fact("Worker", row.worker))
    if found.error_code:
        facts.append(Fact("Error", found.error_code, code=True))
    if found.error_message or found.cancel_reason:
        facts.append(Fact("Cause", found.error_message or found.cancel_reason or ""))
    if seen.about.came_to[1]:
        facts.append(Fact("What came of it", seen.about.came_to[1]))
    if seen.waiting and seen.waiting.until:
        facts.append(Fact("Due", exact(seen.waiting.until)))
    if found.closed_by:
        facts.append(Fact("Closed by", found.closed_by))
    if found.correlation_id:
        facts.append(Fact("Correlation", found.correlation_id, code=True))
    facts += [
        Fact(f"Try {attempt.fence}", f"{attempt.outcome} {attempt.error_message or ''}".strip())
        for attempt in work.attempts(tx, found.id)
    ]
    return JobView(
        row,
        tuple(facts),
        None,
        may.cancel and seen.may_cancel,
        may.retry and seen.may_retry,
        may.recover and found.state in RECOVER.sources,
        may.give_up and found.state in BURY.sources,
        _waits(seen),
        f"/console/jobs/{seen.waiting.behind.short_ref}" if seen.waiting and seen.waiting.behind else None,
    )


def _waits(seen: Seen) -> Note | None:
    if seen.waiting is None:
        return None
    stuck = seen.waiting.reason.startswith(("worker", "server"))
    return Note("warn" if stuck else "idle", seen.waiting.message, seen.waiting.hint or "")


def cancel_job(tx: Tx, ref: str) -> None:
    operator_work.cancel(tx, _own_job(tx, ref).work_ref, "canceled by a person")


def retry_job(tx: Tx, ref: str) -> str:
    return work.retry(tx, _own_job(tx, ref).id).short_ref


def recover_job(tx: Tx, ref: str, reason: str) -> None:
    work.mark_recovered(tx, _own_job(tx, ref).id, reason or None)


def give_up_job(tx: Tx, ref: str, reason: str) -> None:
    if not reason:
        raise Invalid("A reason is needed.", hint="Say why it is given up.", field="reason")
    work.dead_letter(tx, _own_job(tx, ref).id, reason)


def own_sessions(tx: Tx) -> tuple[SessionRow, ...]:
    return tuple(
        SessionRow(
            one.uid,
            _client(one.user_agent, one.client_kind),
            one.address or "an unknown address",
            one.created_at,
            None,
            one.uid == tx.principal.credential,
        )
        for one in sessions.own(tx, tx.principal.id)
    )


def device_login(tx: Tx, code: str) -> DeviceView:
    """A program that asks to be let in, as the page for it shows it."""
    login = devices.find(tx, code)
    user, organization = tx.get(User, tx.principal.id), tx.get(Organization, tx.principal.organization_id or 0)
    assert user is not None and organization is not None  # noqa: S101, PT018 - authenticated a moment ago
    state = devices.state(tx, login)
    if state == "approved" and login is not None and login.user_id != user.id:
        state = "ended"
    asked = login.asked_at if login is not None else None
    view = DeviceView(code, state, user.display_name, organization.name, devices.whence(tx))
    if login is None or asked is None:
        return view
    return replace(view, address=login.address or "", program=_client(login.user_agent, "unknown"), asked=asked)


def _client(agent: str | None, kind: str) -> str:
    """A browser or program by name, from what it says of itself."""
    text = agent or ""
    if not text.startswith("Mozilla/"):
        return text.partition(" ")[0][:60] or ("Command line" if kind == "cli" else "Unknown client")
    browsers = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chromium"), ("Safari/", "Safari"))
    systems = (("Android", "Android"), ("iPhone", "iPhone"), ("Mac OS", "macOS"), ("Windows", "Windows"))
    browser = next((name for mark, name in browsers if mark in text), "Browser")
    system = next((name for mark, name in systems if mark in text), "Linux" if "Linux" in text else "")
    return f"{browser} on {system}" if system else browser


def search(tx: Tx, words: str, limit: int) -> tuple[Answer, ...]:
    """Projects and resources whose names have all the words."""
    organization, wanted = organization_of(tx), words.lower().split()
    query = select(Project).where(Project.organization_id == organization)
    for word in wanted:
        query = query.where(func.lower(Project.name).contains(word, autoescape=True))
    found = [
        Answer("projects", project.name, f"/console/projects/{project.slug}", "Projects")
        for project in tx.scalars(query.order_by(Project.id.desc()).limit(limit))
    ]
    rows = (
        select(Resource, Environment, Project)
        .join(Environment, Environment.id == Resource.environment_id)
        .join(Project, Project.id == Resource.project_id)
        .where(Resource.organization_id == organization, Resource.lifecycle != "deleted")
    )
    for word in wanted:
        rows = rows.where(
            func.lower(Project.name + " / " + Environment.name + " / " + Resource.name).contains(word, autoescape=True)
        )
    found += [
        Answer(
            "globe",
            f"{project.name} / {environment.name} / {resource.name}",
            href(project, environment, resource),
            "Resources",
        )
        for resource, environment, project in tx.session.execute(rows.order_by(Resource.id.desc()).limit(limit))
    ]
    return tuple(found[:limit])


def search_servers(tx: Tx, words: str, limit: int) -> tuple[Answer, ...]:
    """Servers whose name and address have all the words."""
    query = select(Server).where(Server.organization_id == organization_of(tx))
    for word in words.lower().split():
        query = query.where(func.lower(Server.name + " " + Server.host).contains(word, autoescape=True))
    return tuple(
        Answer("fleet", server.name, f"/console/fleet/servers/{server.ref}", "Servers")
        for server in tx.scalars(query.order_by(Server.id.desc()).limit(limit))
    )
