"""Asking the edges of an organization's servers behind SSH about one failed request, all at once and not for long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import select

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.edge.evidence import Entry
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets import evidence
from quarterdeck.fleet.targets.connections import Connections
from quarterdeck.fleet.targets.login import Login
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.workspace.projects import organization_of

AT_ONCE = 8
SECONDS = 15.0
"""A person waits for all of them together."""
MOST = 200
log = structlog.get_logger("quarterdeck.servers")


@dataclass(slots=True)
class Answer:
    """What was found and on which server (its reference); `silent` are the names of those that gave no answer."""

    entry: Entry | None = None
    server: str | None = None
    silent: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """`login` is why nobody may sign in to it, where that is so: it gives no answer."""

    ref: str
    name: str
    login: Login | Problem


def places(tx: Tx) -> list[Place]:
    """Active servers of the caller's organization that have an edge and have been signed in to."""
    rows = tx.scalars(
        select(Server)
        .where(
            Server.organization_id == organization_of(tx),
            Server.provider != servers.LOCAL,
            Server.lifecycle == "active",
            Server.proxy_kind != "none",
        )
        .order_by(Server.id.desc())
        .limit(MOST)
    )
    known = [row for row in rows if access.is_reachable(tx, row) and access.pin(tx, row.id) is not None]
    return [Place(row.ref, row.name, _login(tx, row)) for row in known]


def _login(tx: Tx, server: Server) -> Login | Problem:
    try:
        return access.login(tx, server)
    except Problem as problem:
        return problem


async def ask(
    connections: Connections, asked: Sequence[Place], request_id: str, now: datetime, *, seconds: float = SECONDS
) -> Answer:
    """The first of these servers that knows of the request. Never raises for one that cannot be asked."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(place: Place) -> Entry | None:
        if isinstance(place.login, Problem):
            raise place.login
        async with gate, connections.to(place.login) as host:
            remote = await connections.remote(host)
            return await evidence.find(host, remote.edge.layout, request_id, now)

    tasks = {asyncio.create_task(one(place), name=f"evidence-{place.ref}"): place for place in asked}
    answer, open_tasks = Answer(), set(tasks)
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        while open_tasks and answer.entry is None:
            left = deadline - asyncio.get_running_loop().time()
            done, open_tasks = await asyncio.wait(open_tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                break
            for task in done:
                _take(answer, tasks[task], task)
        answer.silent += [tasks[task].name for task in open_tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return answer


def _take(answer: Answer, place: Place, task: asyncio.Task[Entry | None]) -> None:
    failure = task.exception()
    if failure is None:
        found = task.result()
        if found is not None:
            answer.entry, answer.server = found, place.ref
        return
    if not isinstance(failure, Problem):
        raise failure
    log.info("edge_not_asked", server=place.ref, code=failure.code)
    answer.silent.append(place.name)
