"""Which servers behind SSH are looked after for their edge, and when one is brought up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quarterdeck.deploy.observation import edges, observations
from quarterdeck.fleet.edge.ports import Ports
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.db import Tx
from support.harbour import Harbour

NOTED = {"http_port": None, "https_port": None}
FULL = ("disk_full", "No room.")


async def row(harbour: Harbour, ref: str) -> int:
    found = select(Server.id).where(Server.ref == ref)
    return int(await harbour.instance.db.read(lambda tx: tx.scalars(found).one()))


async def test_a_server_whose_edge_failed_is_watched_though_nothing_serves_there(harbour: Harbour) -> None:
    async def watched() -> list[int]:
        return list(await harbour.instance.db.read(observations.servers_behind_ssh, 10))

    def settle(tx: Tx, lifecycle: str) -> None:
        tx.get(Server, server).lifecycle = lifecycle  # type: ignore[union-attr] - it is there

    server = await row(harbour, await harbour.far_away())
    assert await watched() == []
    await harbour.write(servers.observe_edge, server, error=FULL, **NOTED)
    assert await watched() == [server]
    await harbour.write(settle, "inactive")
    assert await watched() == []
    await harbour.write(settle, "active")
    await harbour.write(servers.observe_edge, server, error=None, **NOTED)
    assert await watched() == []


async def test_an_edge_that_has_to_serve_or_failed_when_it_was_asked_to_is_brought_up(harbour: Harbour) -> None:
    db, server = harbour.instance.db, await row(harbour, await harbour.far_away())

    class Standing:
        ports = Ports(http=80, https=443)

        def __init__(self, *, answers: bool, routes: bool) -> None:
            self._answers, self._routes, self.asked = answers, routes, False

        async def answers(self) -> bool:
            return self._answers

        async def routes(self) -> dict[str, str]:
            return {"one": ""} if self._routes else {}

        async def ensure_running(self) -> None:
            self.asked = True

    for failed in (True, False):
        for answers in (True, False):
            for routes in (True, False):
                await db.write(servers.observe_edge, server, error=FULL if failed else None, **NOTED)
                edge: Any = Standing(answers=answers, routes=routes)
                await edges.keep(db, server, edge, edges._never)
                assert edge.asked == (failed or (routes and not answers)), (failed, answers, routes)
                assert await db.read(servers.with_failed_edges, [server]) == []
