"""Ports of host processes, on a machine where others listen too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from quarterdeck.fleet.processes.runtime import Processes
from support.yard import Yard, program

pytestmark = pytest.mark.edge


async def test_a_port_that_a_stranger_took_after_it_was_assigned_is_given_back_for_another(host: Yard) -> None:
    order = host.order(**program(host.root, "ours"))
    taken = Processes(Path(order.target.root)).port(order.deployment)

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nstranger")
        writer.close()

    stranger = await asyncio.start_server(answer, "127.0.0.1", taken)
    async with stranger:
        await host.deploy(order)
        assert await host.ask() == (200, "ours")
    assert host.serving is not None
    assert host.serving.runtime["host_port"] != taken
