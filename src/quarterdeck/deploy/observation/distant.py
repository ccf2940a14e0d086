"""Watches what serves on servers behind SSH: one observer for each, over a connection that is made again and again.

A server that is not reached is not known to have ended anything: what serves there is `unknown`, with the reason.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from quarterdeck.deploy.deployments.following import CHANGED
from quarterdeck.deploy.observation import edges
from quarterdeck.deploy.observation.observations import MOST_SERVERS, Seen, keep, served_on, servers_behind_ssh
from quarterdeck.deploy.observation.observer import PERIOD, UNCHANGED_SECONDS, Observer
from quarterdeck.deploy.observation.places import RemotePlace
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.servers import sightings
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import NotFound, Problem
from quarterdeck.kernel.logs import Logs

log = structlog.get_logger("quarterdeck.observation")
LOOK_SECONDS = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
QUIET_PERIOD, UNTOLD_PERIOD = 60.0, 9.0
"""Seconds between looks at what has settled, where its engine tells of what happens, and where nobody does."""
REACHED_SECONDS = 300.0
"""How old the time may be at which a server that is watched was last reached."""


class Distant:
    """One per server process; of each machine one task."""

    def __init__(self, db: Database, logs: Logs, edges: Edges, *, log_bytes: int) -> None:
        self._db = db
        self._logs = logs
        self._edges = edges
        self._log_bytes = log_bytes
        self._watched: dict[int, asyncio.Task[None]] = {}
        self._said: dict[int, tuple[str, float]] = {}

    async def run(self) -> None:
        """Watch until canceled."""
        try:
            with self._db.bus.subscribe(CHANGED) as inbox:
                while True:
                    inbox.drain()
                    self._begin(set(await self._db.read(servers_behind_ssh, MOST_SERVERS)))
                    await inbox.get(LOOK_SECONDS)
        finally:
            tasks = list(self._watched.values())
            self._begin(set())
            await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, wanted: set[int]) -> None:
        for server in [known for known, task in self._watched.items() if known not in wanted or task.done()]:
            self._watched.pop(server).cancel()
            self._said.pop(server, None)
        for server in wanted:
            if server not in self._watched:
                self._watched[server] = asyncio.create_task(self._watch(server), name=f"server-{server}")

    async def _watch(self, server: int) -> None:
        """Look over a connection for as long as there is one, and try to have one again."""
        pause, loop = FIRST_PAUSE, asyncio.get_running_loop()
        while True:
            since = None
            try:
                async with self._edges.over(await self._db.read(_login, server)) as remote:
                    since = loop.time()
                    await self._look(server, remote)
            except Problem as problem:
                log.info("server_not_observed", server=server, code=problem.code)
                await self._said_unknown(server, problem)
            except Exception:
                log.exception("server_observation_failed", server=server)
            pause = next_pause(pause, loop.time() - since if since is not None else 0.0)
            await asyncio.sleep(pause)

    async def _look(self, server: int, remote: Remote) -> None:
        if remote.host.login.pin is None:
            await self._db.write(access.keep_host_key, server, remote.host.host_key)
        served = partial(served_on, server_id=server)
        place = RemotePlace(remote)
        observer = Observer(self._db, self._logs, place, served, log_bytes=self._log_bytes)
        edge_due, look_due, told_due, loop = 0.0, 0.0, 0.0, asyncio.get_running_loop()
        try:
            with self._db.bus.subscribe(CHANGED) as inbox:
                while True:
                    inbox.drain()
                    if loop.time() >= edge_due:
                        if not _same(await self._db.read(_login, server), remote.host.login):
                            return  # it is to be signed in to somewhere else, as somebody else or with another key
                        await edges.keep(self._db, server, remote.edge, remote.host.lost)
                        edge_due = loop.time() + edges.EDGE_SECONDS
                    if loop.time() >= look_due:
                        await observer.look()
                        look_due = loop.time() + pace(observer, told=place.told)
                    if loop.time() >= told_due:
                        await self._db.write(sightings.measured, server, await remote.room())
                        told_due = loop.time() + REACHED_SECONDS
                    self._said.pop(server, None)
                    if await place.pause(inbox, min(look_due, edge_due) - loop.time()):
                        look_due = 0.0
        finally:
            await observer.end()

    async def _said_unknown(self, server: int, problem: Problem) -> None:
        """As `_unknown`, where the database may be away itself: it is told once it is back."""
        try:
            await self._unknown(server, problem)
        except Exception:
            self._said.pop(server, None)
            log.exception("server_observation_failed", server=server)

    async def _unknown(self, server: int, problem: Problem) -> None:
        """Said once for each reason, and now and then again, so that its time stays fresh."""
        now = asyncio.get_running_loop().time()
        said, at = self._said.get(server, ("", 0.0))
        if said == problem.message and now - at < UNCHANGED_SECONDS:
            return
        self._said[server] = (problem.message, now)
        state = Seen("unknown", problem.message)
        await self._db.write(sightings.missed, server, problem)
        await self._db.write(keep, [(one, state) for one in await self._db.read(served_on, server)])


def next_pause(pause: float, stood: float) -> float:
    """Seconds until the next try, after one that came `pause` seconds after the one before: soon where its connection
    has `stood` for longer than that, later and later where there is none or it breaks at once.
    """
    return FIRST_PAUSE if stood > pause else min(pause * 2, LONGEST_PAUSE)


def pace(observer: Observer, *, told: bool) -> float:
    """Seconds until the next look. Where nothing changes nobody looks often: a look at each of many servers every
    three seconds is more than all else that an idle installation does. `told`: the engine says when something happens.
    """
    if not observer.settled:
        return PERIOD
    return QUIET_PERIOD if told and observer.only_containers else UNTOLD_PERIOD


def _same(wanted: Login, used: Login) -> bool:
    """Whether a connection is still the one that is wanted. A key that was pinned since is the one that it showed."""
    return wanted.way == used.way and (used.pin is None or wanted.pin == used.pin)


def _login(tx: Tx, server_id: int) -> Login:
    server = tx.get(Server, server_id)
    if server is None:
        raise NotFound("The server was deleted.")
    return access.login(tx, server)
