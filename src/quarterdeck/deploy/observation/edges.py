"""What is said of the edge of a server is kept true: nobody else finds out that one which was said to have failed - a
disk was full, a connection was cut - serves by now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.servers import servers
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Problem

log = structlog.get_logger("quarterdeck.observation")
EDGE_SECONDS = 30.0


async def keep(db: Database, server: int, edge: Edge, lost: Callable[[], Awaitable[bool]]) -> None:
    """Bring the edge of a machine up where it has to serve and does not, or could not when it was asked to, and note
    what came of it; raises what came of a connection that was `lost`.
    """
    failed = server in await db.read(servers.with_failed_edges, [server])
    if not failed and (await edge.answers() or not await edge.routes()):
        return
    try:
        await edge.ensure_running()
    except Problem as problem:
        if await lost():
            raise
        await _note(db, server, (problem.code, problem.message), edge)
        return
    log.info("edge_brought_up", server=server)
    await _note(db, server, None, edge)


async def keep_own(db: Database, edge: Edge) -> None:
    """The same until canceled for the edge of this machine, which is brought up by `Edge.keep_running`."""
    while True:
        await asyncio.sleep(EDGE_SECONDS)
        for server in await db.read(servers.with_failed_edges, await db.read(servers.local_ids)):
            if await edge.answers():  # else it is brought up first
                await keep(db, server, edge, _never)


async def _never() -> bool:
    return False


async def _note(db: Database, server: int, error: tuple[str, str] | None, edge: Edge) -> None:
    http, https = (edge.ports.http, edge.ports.https) if error is None else (None, None)
    await db.write(servers.observe_edge, server, error=error, http_port=http, https_port=https)
