"""Looking at servers while somebody waits: whether they are reached, how full they are, and what runs there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from quarterdeck.fleet.capacity import measuring
from quarterdeck.fleet.capacity.values import Capacity
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.credentials.access import Way
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.engines import seeing
from quarterdeck.fleet.engines.planning import planned
from quarterdeck.fleet.engines.values import Plan, Seen
from quarterdeck.fleet.servers import engines, moving, servers, sightings
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.reaching import Reaching, Signing, signing
from quarterdeck.fleet.targets import connectivity, surroundings
from quarterdeck.fleet.targets.connectivity import Examined
from quarterdeck.fleet.targets.facts import Room
from quarterdeck.fleet.targets.login import HostKeyPin
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.fleet.targets.surroundings import Surroundings
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem


@dataclass(frozen=True, slots=True)
class Draft:
    """A server that is not registered."""

    host: str
    port: int
    provider: str
    way: Way | None = None


class Looking(Reaching):
    """What the people who wait are shown. Nothing of a machine is changed."""

    async def examine(self, server_ref: str) -> tuple[Server, Examined]:
        """Look at a registered server over a new connection. Two things are kept: the host key of the first contact
        that let us in is pinned, and where nothing was decided about its engine, one that answers is adopted.
        """
        server, login = await self.db.read(signing, server_ref)
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
            _, login = await self.db.read(signing, server_ref)
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
        edge = edge or await self._own_edge_ports()
        return await connectivity.examine_local(self.clock, self.here(), edge=edge, named=self.edge_ports)

    async def _own_edge_ports(self) -> list[int]:
        """Where the edge of this machine listens, which runs whether a server stands for the machine or not."""
        async with Edge(self.runtime) as edge:
            seen = await edge.status()
        return [seen.ports.http, seen.ports.https] if seen.running and seen.ports is not None else []

    async def measure(self, server_ref: str) -> tuple[Server, Capacity]:
        server, login = await self.db.read(signing, server_ref)
        if isinstance(login, Problem):
            return server, measuring.unreached(login)
        try:
            async with self.at(server, login) as (host, places, engine):
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
        server, login = await self.db.read(signing, server_ref)
        if isinstance(login, Problem):
            return server, surroundings.unreached(login)
        try:
            async with self.at(server, login) as (host, _, engine):
                if not isinstance(host, SshHost):
                    async with Edge(self.runtime) as edge:
                        return server, await surroundings.look(host, edge, engine, self.instance)
                remote = await self.connections.remote(host)
                there = await remote.installations()
                return server, await surroundings.look(host, remote.edge, engine, self.instance, there)
        except Problem as problem:
            return server, surroundings.unreached(problem)

    async def engine(self, server_ref: str) -> tuple[Server, Seen, Plan]:
        """The engine of a server behind SSH, and what would be done so that it can be used. Raises `Invalid` for this
        machine, and the problem of a server that cannot be signed in to.
        """
        server, login = await self.db.read(signing, server_ref)
        engines.check_behind_ssh(server)
        if isinstance(login, Problem):
            raise login
        assert login is not None  # noqa: S101 - this machine was refused
        async with self.connections.to(login) as host:
            if login.pin is None:
                await self.db.write(access.keep_host_key, server.id, host.host_key)
            seen = await seeing.look(host)
        return server, seen, planned(seen, self.instance)


def _expected(server: Server, found: Examined) -> Examined:
    return connectivity.engine_refused(found) if server.engine_use == engines.REFUSED else found


def _draft_signing(tx: Tx, draft: Draft) -> Signing:
    servers.check_host(draft.host)
    servers.check_port(draft.port)
    if servers.check_provider(draft.provider) == servers.LOCAL:
        return None
    if draft.way is None:
        return access.way_missing(draft.host)
    return access.draft_login(tx, draft.host, draft.port, draft.way)


def _draft_edge_ports(tx: Tx, draft: Draft) -> list[int]:
    host = servers.check_host(draft.host)
    return servers.edge_ports(access.at_address(tx, draft.provider, host, draft.port))
