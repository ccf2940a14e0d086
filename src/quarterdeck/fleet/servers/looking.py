"""Looking at servers while somebody waits: whether they are reached, and how full they are."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from quarterdeck.fleet.capacity import measuring, pruning
from quarterdeck.fleet.capacity.measuring import REMOTE, Places
from quarterdeck.fleet.capacity.pruning import Candidate, Known, Pruned
from quarterdeck.fleet.capacity.values import Capacity
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.credentials.access import Way
from quarterdeck.fleet.docker.address import EngineAddress, engine_address
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.engines import seeing
from quarterdeck.fleet.engines.planning import planned
from quarterdeck.fleet.engines.values import Plan, Seen
from quarterdeck.fleet.servers import engines, moving, servers, sightings
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.uninstalling import check_elsewhere
from quarterdeck.fleet.targets import connectivity, surroundings, uninstalling
from quarterdeck.fleet.targets.connections import Connections
from quarterdeck.fleet.targets.connectivity import Examined
from quarterdeck.fleet.targets.facts import Room, place_of
from quarterdeck.fleet.targets.host import Host, LocalHost
from quarterdeck.fleet.targets.login import HostKeyPin, Login
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.fleet.targets.surroundings import Surroundings
from quarterdeck.fleet.targets.uninstalling import Left
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Conflict, Problem

Signing = Login | Problem | None
"""How a server is signed in to, why nobody knows, or None for this machine."""
Judge = Callable[[Collection[str]], Awaitable[Mapping[str, Known]]]
Begin = Callable[[Sequence[Candidate]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Draft:
    """A server that is not registered."""

    host: str
    port: int
    provider: str
    way: Way | None = None


@dataclass(slots=True)
class Looking:
    """`data` and `runtime` are the directories of this machine, `docker_host` its engine; `instance` is the mark of
    this installation on what it makes.
    """

    db: Database
    data: Path
    runtime: Path
    docker_host: str | None = None
    instance: str = ""
    clock: Clock = field(default_factory=SystemClock)
    connections: Connections = field(default_factory=Connections)

    async def examine(self, server_ref: str) -> tuple[Server, Examined]:
        """Look at a registered server over a new connection. Two things are kept: the host key of the first contact
        that let us in is pinned, and where nothing was decided about its engine, one that answers is adopted.
        """
        server, login = await self.db.read(_signing, server_ref)
        ports = await self.db.read(lambda tx: servers.edge_ports(access.same_machine(tx, server)))
        found = await self._examined(login, ports)
        if found.host_key is not None:
            await self.db.write(access.keep_host_key, server.id, found.host_key)
        if server.provider != servers.LOCAL:
            await self.db.write(sightings.examined, server.id, _expected(server, found))
        if server.engine_use == engines.REFUSED:
            return server, connectivity.engine_refused(found)
        if server.engine_use is None and server.provider != servers.LOCAL:
            version = next((one.facts.get("version") for one in found.checks if one.name == "docker-engine"), None)
            if version:
                await self.db.write(engines.used, server.id, version)
        return server, found

    async def examine_draft(self, draft: Draft) -> Examined:
        """The same for one that is not registered; nothing is kept."""
        login = await self.db.read(_draft_signing, draft)
        return await self._examined(login, await self.db.read(_draft_edge_ports, draft))

    async def move(
        self, server_ref: str, host: str, port: int, *, fingerprint: str | None = None, unseen: bool = False
    ) -> tuple[Server, HostKeyPin | None]:
        """Reach a server at another address from now on, after a look at the host key that is shown there; answers the
        key that is expected. With a `fingerprint` that key is the one to expect, `unseen` looks at nothing. Raises what
        `moving.move` raises, and the problem of an address at which nobody lets us in: nothing is changed then.
        """
        server, host = await self.db.read(moving.check, server_ref, host, port)
        shown = None
        if not unseen:
            _, login = await self.db.read(_signing, server_ref)
            if isinstance(login, Problem):
                raise login
            assert login is not None  # noqa: S101 - this machine was refused
            pin = login.pin if fingerprint is None else HostKeyPin(access.check_fingerprint(fingerprint))
            try:
                async with await SshHost.connect(replace(login, host=host, port=port, pin=pin)) as reached:
                    shown = reached.host_key
            except Problem as problem:
                raise moving.told(problem, server, host, port) from None
        moved = await self.db.write(moving.move, server_ref, host=host, port=port, shown=shown, fingerprint=fingerprint)
        return moved, await self.db.read(access.pin, server.id)

    async def _examined(self, login: Signing, edge: Collection[int] = ()) -> Examined:
        if isinstance(login, Problem):
            return connectivity.without_credential(login)
        if login is not None:
            return await connectivity.examine(login, self.clock, self.instance, edge=edge)
        return await connectivity.examine_local(self.clock, self._engine(), edge=edge)

    async def measure(self, server_ref: str) -> tuple[Server, Capacity]:
        server, login = await self.db.read(_signing, server_ref)
        if isinstance(login, Problem):
            return server, measuring.unreached(login)
        try:
            async with self._at(server, login) as (host, places, engine):
                found = await measuring.measure(host, places, engine)
        except Problem as problem:
            if login is not None:
                await self.db.write(sightings.missed, server.id, problem)
            return server, measuring.unreached(problem)
        if login is not None:
            least = min(found.disk, key=lambda one: one.available, default=None)
            room = Room(least.available, least.size, least.mount) if least else None
            await self.db.write(sightings.measured, server.id, room)
        return server, found

    async def survey(self, server_ref: str) -> tuple[Server, Surroundings]:
        """Its edge as it runs, and what else does there. Nothing is changed."""
        server, login = await self.db.read(_signing, server_ref)
        if isinstance(login, Problem):
            return server, surroundings.unreached(login)
        try:
            async with self._at(server, login) as (host, _, engine):
                if not isinstance(host, SshHost):
                    async with Edge(self.runtime) as edge:
                        return server, await surroundings.look(host, edge, engine, self.instance)
                remote = await self.connections.remote(host)
                there = await remote.installations()
                return server, await surroundings.look(host, remote.edge, engine, self.instance, there)
        except Problem as problem:
            return server, surroundings.unreached(problem)

    async def prune(
        self,
        server_ref: str,
        categories: Collection[str],
        before: datetime,
        judge: Judge,
        begin: Begin,
        *,
        dry_run: bool,
    ) -> tuple[Server, Pruned]:
        """What is old and unwanted in these categories, and unless `dry_run` without it. `judge` says of which
        deployments something is known. `begin` is told what is about to go: when it raises, nothing goes. Raises the
        problem of a server that cannot be signed in to.
        """
        server, login = await self.db.read(_signing, server_ref)
        if isinstance(login, Problem):
            raise login
        async with self._at(server, login) as (host, places, engine):
            found = await pruning.find(host, places, engine, categories, self.instance)
            known = await judge({one.deployment for one in found.candidates if one.deployment})
            decided = [pruning.judged(one, before, known) for one in found.candidates]
            if dry_run:
                return server, Pruned(decided, found.warnings)
            matched = [one for one in decided if one.action == "matched"]
            if matched:
                await begin(matched)
            done = await pruning.remove(host, engine, decided)
            return server, Pruned(done.candidates, found.warnings + done.warnings)

    async def left(
        self, server_ref: str, known: uninstalling.Known, *, engine: bool = False
    ) -> tuple[Server, list[Left]]:
        """What we have left on a server behind SSH; with `engine` the engine that we have installed would go, too.
        Raises `Invalid` for this machine, and the problem of a server that cannot be signed in to.
        """
        server, login = await self._elsewhere(server_ref)
        async with self._remote(login) as remote:
            return server, await uninstalling.find(remote, self.instance, known, engine=engine)

    async def uninstall(
        self,
        server_ref: str,
        known: uninstalling.Known,
        agreed: Callable[[list[str], bool], Awaitable[None]],
        *,
        engine: bool = False,
        without_engine: bool = False,
    ) -> tuple[Server, list[Left]]:
        """Take away what we have left, and answer what of it is gone. `agreed` is awaited before anything goes, with
        the deployments and resources whose things were found and whether something could not be looked at; what it
        raises leaves all as it is. Raises `Conflict` (`server_engine_unseen`) for an engine that does not answer,
        unless it shall be done `without_engine`, and what `left` raises.
        """
        server, login = await self._elsewhere(server_ref)
        async with self._remote(login) as remote:
            found = await uninstalling.find(remote, self.instance, known, engine=engine)
            silent = uninstalling.unseen(found)
            if silent is not None and not without_engine:
                raise Conflict(
                    f"What the engine of {server.name} holds of ours is not known. {silent.kept}",
                    code="server_engine_unseen",
                    hint="Start Docker there and repeat it, or leave that behind: "
                    f"qd server uninstall {shlex.quote(server.name)} --remove --without-engine",
                    relatedEntityId=server.ref,
                )
            await agreed(sorted({one.of for one in found if one.of}), silent is not None)
            return server, await uninstalling.remove(remote, self.instance, found)

    async def _elsewhere(self, server_ref: str) -> tuple[Server, Login]:
        server, login = await self.db.read(_signing, server_ref)
        check_elsewhere(server)
        if isinstance(login, Problem):
            raise login
        assert login is not None  # noqa: S101 - it is another machine
        return server, login

    @contextlib.asynccontextmanager
    async def _remote(self, login: Login) -> AsyncIterator[Remote]:
        async with self.connections.to(login) as host:
            yield await self.connections.remote(host)

    async def engine(self, server_ref: str) -> tuple[Server, Seen, Plan]:
        """The engine of a server behind SSH, and what would be done so that it can be used. Raises `Invalid` for this
        machine, and the problem of a server that cannot be signed in to.
        """
        server, login = await self.db.read(_signing, server_ref)
        engines.check_behind_ssh(server)
        if isinstance(login, Problem):
            raise login
        assert login is not None  # noqa: S101 - this machine was refused
        async with self.connections.to(login) as host:
            if login.pin is None:
                await self.db.write(access.keep_host_key, server.id, host.host_key)
            seen = await seeing.look(host)
        return server, seen, planned(seen, self.instance)

    @contextlib.asynccontextmanager
    async def _at(
        self, server: Server, login: Login | None
    ) -> AsyncIterator[tuple[Host, Places, EngineAddress | None]]:
        """The machine, where our directories are on it, and its engine where we know it."""
        if login is None:
            places = Places(str(self.runtime), str(self.data), str(self.runtime / "deployments"))
            yield LocalHost(), places, self._engine()
            return
        async with self.connections.to(login) as host:
            if login.pin is None:
                await self.db.write(access.keep_host_key, server.id, host.host_key)
            there = await place_of(host)
            yield host, Places.at(there.root) if there.root else REMOTE, None

    def _engine(self) -> EngineAddress:
        return engine_address({**os.environ, **({"DOCKER_HOST": self.docker_host} if self.docker_host else {})})


def _expected(server: Server, found: Examined) -> Examined:
    return connectivity.engine_refused(found) if server.engine_use == engines.REFUSED else found


def _signing(tx: Tx, server_ref: str) -> tuple[Server, Signing]:
    server = servers.find(tx, server_ref)
    if server.provider == servers.LOCAL:
        return server, None
    try:
        return server, access.login(tx, server)
    except Problem as problem:
        return server, problem


def _draft_signing(tx: Tx, draft: Draft) -> Signing:
    servers.check_host(draft.host)
    servers.check_port(draft.port)
    if servers.check_provider(draft.provider) == servers.LOCAL:
        return None
    if draft.way is None:
        return access.credential_missing(draft.host)
    return access.draft_login(tx, draft.host, draft.port, draft.way)


def _draft_edge_ports(tx: Tx, draft: Draft) -> list[int]:
    host = servers.check_host(draft.host)
    return servers.edge_ports(access.at_address(tx, draft.provider, host, draft.port))
