"""The edges that one process works with, and the connections to the servers that some of them are on."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

from quarterdeck.fleet.edge.configuration import EdgeOptions
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.targets.connections import Connections
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.kernel.errors import Unavailable


class Edges:
    """One `Edge` for each target directory, here and on each server behind SSH, shared by all that goes on in a
    process: changes of routes which meet there are loaded together, while objects of their own would reload the proxy
    once for each. `workspace` is where this process keeps sources on their way to such servers. Belongs to one event
    loop, and to whoever composes the process.
    """

    def __init__(self, workspace: Path | None = None) -> None:
        self._workspace = workspace
        self.connections = Connections()
        self._made: dict[tuple[Path, int | None, int | None], Edge] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def at(
        self,
        root: Path,
        *,
        http_port: int | None = None,
        https_port: int | None = None,
        address: str | None = None,
        options: EdgeOptions | None = None,
    ) -> Edge:
        """The edge of a target directory. Ports named anew make another object, as they make other listeners.
        `address` and `options` count for whoever asks first; an object without them finds those that are kept in the
        directory.
        """
        key = (root, http_port, https_port)
        if key not in self._made:
            self._made[key] = Edge(root, http_port=http_port, https_port=https_port, address=address, options=options)
        return self._made[key]

    @property
    def workspace(self) -> Path:
        """Raises `Unavailable` in a process that has no such place."""
        if self._workspace is None:
            raise Unavailable("This process has no place for sources on their way to a server.")
        return self._workspace

    @contextlib.asynccontextmanager
    async def over(self, login: Login) -> AsyncIterator[Remote]:
        """A server behind SSH, over the one connection that this process has to it."""
        async with self.connections.to(login) as host:
            yield await self.connections.remote(host)

    async def close(self) -> None:
        """Ends these objects and connections, no proxy."""
        await self.connections.close()
        made, self._made = list(self._made.values()), {}
        for edge in made:
            await edge.close()
