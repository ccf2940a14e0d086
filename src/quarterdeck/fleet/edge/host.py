"""What the edge needs of the host that it runs on, beside files: its process, its sockets, its ports. This host's; that
of a server behind SSH is `fleet.targets.edge_host`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import httpx

from quarterdeck.fleet.edge import holders, ports, process
from quarterdeck.fleet.edge.files import Files, LocalFiles
from quarterdeck.fleet.edge.forsaken import forsaken
from quarterdeck.fleet.edge.holders import Holder
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.ports import LOOPBACK, Sockets
from quarterdeck.fleet.edge.process import Identity, process_lock, start_detached
from quarterdeck.fleet.edge.program import Account, caddy_program, program_version, start_command, start_environment
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.faults import point

END_SECONDS = 10.0


class ProxyHost(Protocol):
    @property
    def files(self) -> Files: ...

    def through(self, socket: Path) -> httpx.AsyncBaseTransport:
        """A transport whose every connection goes to this unix socket of the host."""
        ...

    async def unlocked(self, lock: Path) -> bool:
        """Whether no living process holds the lock file of an edge's process."""
        ...

    async def owner(self, layout: Layout) -> Identity | None:
        """The process that listens on the admin socket."""
        ...

    async def lives(self, identity: Identity | None) -> bool: ...

    async def start(self, layout: Layout) -> Identity:
        """Start the proxy detached, under its lock. Raises `Unavailable`: `edge_proxy_busy` when the lock is held,
        `edge_proxy_start_failed` when nothing was started.
        """
        ...

    async def end(self, identity: Identity, *, grace_seconds: float) -> bool:
        """Ask the process to end, and kill it after the grace. Whether there was such a process."""
        ...

    async def version(self, identity: Identity) -> str | None:
        """Of the program that the process runs, None where it is not the one that we bring or nobody tells."""
        ...

    async def wait_for_end(self, identity: Identity) -> None:
        """Returns when the process is gone, at once if it is already."""
        ...

    async def sockets(self) -> Sockets:
        """Which ports can be had at this moment."""
        ...

    async def holders(self, port: int, address: str) -> Sequence[Holder]:
        """Who listens on a port of the address (empty: any), the one to name first; empty where nobody tells."""
        ...

    async def end_forsaken(self, layout: Layout, identity: Identity) -> bool:
        """End a proxy that was started as this directory's, if it certainly belongs to one that stood here before and
        that nobody has any more. Whether it was ended.
        """
        ...

    async def own(self, directory: Path) -> None:
        """Give a directory to the account that the proxy runs as, where it has one of its own."""
        ...


class LocalProxyHost:
    """The host that we run on. The proxy runs as `account` where one is given, else as we do."""

    def __init__(self, account: Account | None = None, program: Path | None = None) -> None:
        self.files = LocalFiles()
        self._account = account
        self._program = program

    def through(self, socket: Path) -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(uds=str(socket), verify=False)

    async def unlocked(self, lock: Path) -> bool:
        with process_lock(lock) as free:
            return free is not None

    async def owner(self, layout: Layout) -> Identity | None:
        return process.socket_owner(layout.admin_socket)

    async def lives(self, identity: Identity | None) -> bool:
        return process.lives(identity)

    async def start(self, layout: Layout) -> Identity:
        with process_lock(layout.process_lock) as lock:
            if lock is None:
                raise busy()
            await self.files.remove(layout.admin_socket)
            await self.files.remove(layout.candidate_socket)
            command = start_command(self._program or caddy_program(), layout, self._account)
            point("edge.start")
            started = await start_detached(command, start_environment(layout, os.environ), layout.empty, lock)
            point("edge.started")
            return started

    async def end(self, identity: Identity, *, grace_seconds: float) -> bool:
        return await process.end_process(identity, grace_seconds=grace_seconds)

    async def version(self, identity: Identity) -> str | None:
        ours = process.program_of(identity) == (self._program or caddy_program())
        return program_version() if ours else None

    async def wait_for_end(self, identity: Identity) -> None:
        await process.wait_for_end(identity)

    async def sockets(self) -> Sockets:
        return LocalSockets()

    async def holders(self, port: int, address: str) -> Sequence[Holder]:
        return await asyncio.to_thread(holders.holders, port, address)

    async def end_forsaken(self, layout: Layout, identity: Identity) -> bool:
        look = forsaken(identity, layout, self._program or caddy_program())
        with contextlib.ExitStack() as stack:
            certain = await asyncio.to_thread(stack.enter_context, look)
            return certain and await self.end(identity, grace_seconds=END_SECONDS)

    async def own(self, directory: Path) -> None:
        if self._account is not None:
            os.chown(directory, self._account.uid, self._account.gid)


class LocalSockets:
    """Asked of the kernel by trying."""

    spare_address = LOOPBACK

    def can_listen(self, port: int, address: str) -> bool:
        return ports.can_listen(port, address)

    def free(self, count: int, address: str) -> list[int]:
        return ports.free_ports(count, address)

    def shared(self, port: int) -> bool:
        return ports.is_shared(port)


def busy() -> Unavailable:
    return Unavailable("The edge was started by another process at the same moment.", code="edge_proxy_busy")
