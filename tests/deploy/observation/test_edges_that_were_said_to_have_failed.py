"""What is said of an edge follows what it does: one that could not be changed once and serves has not failed."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from quarterdeck.deploy.observation import edges
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.db import Tx
from support.harbour import Harbour

pytestmark = pytest.mark.edge


def stands(tx: Tx) -> list[tuple[str, str | None]]:
    """Status and error code of the edge of this machine, as each organization is told."""
    found = tx.scalars(select(Server).where(Server.id.in_(servers.local_ids(tx))))
    return [(one.proxy_status, one.proxy_error_code) for one in found]


def fail(tx: Tx) -> None:
    for server in servers.local_ids(tx):
        servers.observe_edge(tx, server, error=("disk_full", "No room."), http_port=None, https_port=None)


async def test_an_edge_that_serves_has_not_failed_any_more(started: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    db, edge = started.instance.db, started.instance.edge
    assert edge is not None
    async with asyncio.timeout(60):
        while not await edge.answers():
            await asyncio.sleep(0.05)
    await db.write(servers.local)
    await db.write(fail)
    assert await db.read(stands) == [("failed", "disk_full")]
    monkeypatch.setattr(edges, "EDGE_SECONDS", 0.01)
    task = asyncio.create_task(edges.keep_own(db, edge))
    async with asyncio.timeout(60):
        while await db.read(stands) != [("ready", None)]:
            assert not task.done()
            await asyncio.sleep(0.05)
    task.cancel()
    assert edge.ports.http == started.instance.settings.edge_http_port
