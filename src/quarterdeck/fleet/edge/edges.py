"""The edges that one process works with."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from quarterdeck.fleet.edge.configuration import EdgeOptions
from quarterdeck.fleet.edge.edge import Edge


class Edges:
    """One `Edge` for each target directory, shared by all that goes on in a process: changes of routes which meet
    there are loaded together, while objects of their own would reload the proxy once for each. Belongs to one event
    loop, and to whoever composes the process.
    """

    def __init__(self) -> None:
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

    async def close(self) -> None:
        """Ends these objects, no proxy."""
        made, self._made = list(self._made.values()), {}
        for edge in made:
            await edge.close()
