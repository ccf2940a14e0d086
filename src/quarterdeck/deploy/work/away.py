"""Work that waits for a server that is out of reach: since when, and when it is tried again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.execution.absence import UNREACHED
from quarterdeck.deploy.work.waiting import Waiting
from quarterdeck.fleet.servers import sightings
from quarterdeck.fleet.servers.model import Server, Sighting
from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import instant
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.transitions import State

SUBJECT = "deployment:"


def reasons(
    tx: Tx, found: Sequence[jobs.Job], told: Mapping[int, jobs.About], places: Mapping[int, jobs.Place]
) -> dict[int, Waiting]:
    """Of those jobs that wait for their server, why each does: attempts at work that were cut off from it, and work
    whose last try did not reach it.
    """
    tries = _running(tx, found)
    for job in found:
        place = places.get(job.id)
        missed = job.state == State.RETRY_SCHEDULED and job.error_code in UNREACHED
        if missed and place is not None and place.due_us is not None and place.parked_key is None:
            tries[job.id] = instant(place.due_us)
    refs = {job_id: told[job_id].links.get("serverId", "") for job_id in tries}
    servers = _servers(tx, set(refs.values()))
    return {job_id: waiting(*servers[ref], tries[job_id], tx.now) for job_id, ref in refs.items() if ref in servers}


def in_line(tx: Tx, waits: Mapping[int, Waiting]) -> dict[int, Waiting]:
    """Of those that wait for their turn behind work that waits for its server, the same with that said."""
    first = {one.behind.id: one.behind for one in waits.values() if one.behind is not None}
    held = reasons(tx, list(first.values()), jobs.kinds.about(tx, list(first.values())), jobs.places(tx, list(first)))
    return {
        job_id: replace(one, message=f"{one.message} {held[one.behind.id].message}")
        for job_id, one in waits.items()
        if one.behind is not None and one.behind.id in held
    }


def of_deployment(tx: Tx, deployment: Deployment) -> Waiting | None:
    """The same of one attempt."""
    server = tx.get(Server, deployment.server_id)
    if deployment.next_try_at is None or server is None:
        return None
    seen = tx.first(select(Sighting).where(Sighting.server_id == server.id))
    return waiting(server, seen, deployment.next_try_at, tx.now)


def waiting(server: Server, seen: Sighting | None, due: datetime, now: datetime) -> Waiting:
    seconds = max(round((due - now).total_seconds()), 0)
    soon = f"it is tried again in {seconds} s" if seconds else "it is being tried again"
    return Waiting(
        "server-away",
        f"The server {server.name} does not answer{sightings.since(seen, now)}; {soon}.",
        "It goes on by itself when the server is back. Look at it: " + sightings.test_of(server),
        until=due,
    )


def _running(tx: Tx, found: Sequence[jobs.Job]) -> dict[int, datetime]:
    """When attempts that are at work try again, by job."""
    subjects = {job.id: job.subject or "" for job in found if job.state == State.RUNNING}
    refs = {subject.removeprefix(SUBJECT) for subject in subjects.values() if subject.startswith(SUBJECT)}
    if not refs:
        return {}
    waits = Deployment.ref.in_(sorted(refs)) & Deployment.next_try_at.is_not(None)
    rows = tx.execute(select(Deployment.job_id, Deployment.next_try_at).where(waits))
    return {row[0]: row[1] for row in rows if row[0] in subjects}


def _servers(tx: Tx, refs: set[str]) -> dict[str, tuple[Server, Sighting | None]]:
    wanted = sorted(refs - {""})
    if not wanted:
        return {}
    rows = tx.session.execute(
        select(Server, Sighting).outerjoin(Sighting, Sighting.server_id == Server.id).where(Server.ref.in_(wanted))
    )
    return {row[0].ref: (row[0], row[1]) for row in rows}
