"""Stopping and starting again what serves, where that does not go as it should."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from quarterdeck.deploy.execution.order import Retained, RuntimeOrder
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.kernel.errors import Unavailable
from support.yard import Ledger, Yard, operate, program

pytestmark = pytest.mark.edge
SLOW = "sh -c 'sleep 1; exec python3 server'"


async def test_what_cannot_be_ended_is_led_to_again(host: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    order = host.order(**program(host.root, "ours"))
    runtime = await host.deploy(order)
    stop = RuntimeOrder("stop", order.deployment, order.resource, host.target, runtime, route=order.route)

    async def refuse(*_given: object) -> None:
        raise Unavailable("It does not end.")

    with monkeypatch.context() as broken:
        broken.setattr(Processes, "stop", refuse)
        with pytest.raises(Unavailable):
            await operate(Ledger(), stop)
    assert await host.ask() == (200, "ours")
    await operate(Ledger(), stop)
    assert (await host.ask())[0] in {502, 503}


async def test_nobody_is_led_to_what_was_started_again_before_it_listens(
    host: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = program(host.root, "slow")
    given["runtime"] = {**given["runtime"], "startCommand": SLOW}
    order, ledger = host.order(**given), Ledger()
    runtime = await host.deploy(order, ledger)
    retained = Retained(order.deployment, ledger.done["package"], ledger.done["plan"])
    again = msgspec.structs.replace(order, retained=retained)
    stop = RuntimeOrder("stop", order.deployment, order.resource, host.target, runtime, route=order.route)
    await operate(Ledger(), stop)
    start = RuntimeOrder(
        "start", order.deployment, order.resource, host.target, runtime, route=order.route, again=again
    )
    switch = Edge.switch

    async def knocking(edge: Edge, route: str, upstream: str) -> str | None:
        _, writer = await asyncio.open_connection(*upstream.split(":"))  # refused while nothing listens
        writer.close()
        return await switch(edge, route, upstream)

    monkeypatch.setattr(Edge, "switch", knocking)
    await operate(Ledger(), start)
    assert await host.ask() == (200, "slow")
