"""What many executions of one process do to the edge of one host."""

from __future__ import annotations

import asyncio

import pytest

from quarterdeck.deploy.execution import execute as executing
from quarterdeck.deploy.execution.order import RouteOrder
from quarterdeck.fleet.edge.admin import AdminClient
from quarterdeck.fleet.edge.edges import Edges
from support.yard import Ledger, Yard, site

pytestmark = pytest.mark.edge
MANY = 16


@pytest.fixture
def loads(monkeypatch):
    counted = []
    load = AdminClient.load

    async def counting(self, configuration, tag):
        counted.append(len(configuration))
        await load(self, configuration, tag)

    monkeypatch.setattr(AdminClient, "load", counting)
    return counted


async def test_deployments_that_need_routes_at_once_share_few_reloads(host: Yard, place, loads):
    orders = [
        host.order(
            site(place, f"here-{number}"),
            resource=f"res_{host.instance}{number}",
            route=RouteOrder(
                f"res_{host.instance}{number}", "organization-1", [f"app-{host.instance}-{number}.localhost"]
            ),
        )
        for number in range(MANY)
    ]
    async with Edges() as edges:
        await edges.at(host.root, http_port=host.port, https_port=host.tls_port).ensure_running()
        loads.clear()
        await asyncio.gather(*(executing.execute(Ledger(), order, edges) for order in orders))
    assert len(host.routes()) == MANY
    print(f"{MANY} deployments, {len(loads)} reloads")  # noqa: T201 - told with a failure
    assert len(loads) <= MANY // 2


async def test_a_process_has_one_edge_for_each_directory_and_named_port(tmp_path):
    async with Edges() as edges:
        here = edges.at(tmp_path / "here", http_port=8080)
        assert edges.at(tmp_path / "here", http_port=8080) is here
        assert edges.at(tmp_path / "there", http_port=8080) is not here
        assert edges.at(tmp_path / "here", http_port=8081) is not here
