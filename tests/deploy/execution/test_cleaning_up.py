"""A preview that is torn down leaves nothing on its host, and tearing it down may be repeated."""

from __future__ import annotations

import pytest

from quarterdeck.deploy.execution.operating import clean_up
from quarterdeck.deploy.execution.order import CleanupOrder, RuntimeOrder
from quarterdeck.fleet.edge.edges import Edges
from support.yard import Ledger, Yard, program, site

pytestmark = pytest.mark.edge


@pytest.mark.parametrize("kind", ["files", "process"])
async def test_a_preview_that_is_torn_down_leaves_nothing(host: Yard, kind: str) -> None:
    orders = []
    for text in ("one", "two"):
        made = host.order(site(host.root, text)) if kind == "files" else host.order(**program(host.root, text))
        ledger = Ledger()
        runtime = await host.deploy(made, ledger)
        orders.append(
            RuntimeOrder(
                operation="clean",
                deployment=made.deployment,
                resource=made.resource,
                target=host.target,
                runtime=runtime,
                route=made.route,
                artifact=ledger.done["package"],
            )
        )
    assert await host.ask() == (200, "two")
    for _ in range(2):
        async with Edges() as edges:
            answer = await clean_up(Ledger(), CleanupOrder(orders[::-1]), edges)  # type: ignore[arg-type] - it logs
        assert answer == {"cleaned": [one.deployment for one in orders[::-1]]}
        assert (await host.ask())[0] == 404
        assert host.processes() == []
        assert host.routes() == []
        assert list(host.root.glob("releases/*")) == []
        assert host.leftovers() == []
