"""How a server is reached while somebody waits: signed in to with what is known of it, or this machine as it is."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.fleet.capacity.measuring import REMOTE, Places
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.docker.address import EngineAddress, own_engine
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets.connections import Connections
from quarterdeck.fleet.targets.facts import place_of
from quarterdeck.fleet.targets.host import Host, LocalHost
from quarterdeck.fleet.targets.login import Login
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Problem

Signing = Login | Problem | None
"""How a server is signed in to, why nobody knows, or None for this machine."""


@dataclass(slots=True)
class Reaching:
    """`data` and `runtime` are the directories of this machine, `docker_host` its engine; `instance` is the mark of
    this installation on what it makes; `edge_ports` are those for HTTP and HTTPS that the settings name for the edge of
    this machine.
    """

    db: Database
    data: Path
    runtime: Path
    docker_host: str | None = None
    instance: str = ""
    clock: Clock = field(default_factory=SystemClock)
    connections: Connections = field(default_factory=Connections)
    edge_ports: tuple[int | None, int | None] = (None, None)

    @contextlib.asynccontextmanager
    async def at(self, server: Server, login: Login | None) -> AsyncIterator[tuple[Host, Places, EngineAddress | None]]:
        """The machine, where our directories are on it, and its engine where we know it."""
        if login is None:
            places = Places(str(self.runtime), str(self.data), str(self.runtime / "deployments"))
            yield LocalHost(), places, self.here()
            return
        async with self.connections.to(login) as host:
            if login.pin is None:
                await self.db.write(access.keep_host_key, server.id, host.host_key)
            there = await place_of(host)
            yield host, Places.at(there.root) if there.root else REMOTE, None

    def here(self) -> EngineAddress:
        """The engine of this machine."""
        return own_engine(self.docker_host)


def signing(tx: Tx, server_ref: str) -> tuple[Server, Signing]:
    """A server of the caller's organization, and how it is signed in to."""
    server = servers.find(tx, server_ref)
    if server.provider == servers.LOCAL:
        return server, None
    try:
        return server, access.login(tx, server)
    except Problem as problem:
        return server, problem
