"""Ports of host processes, on a machine where others listen too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from quarterdeck.deploy.execution.order import Limits
from quarterdeck.fleet.processes import ports
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.kernel.errors import ProviderFailure
from support.yard import Yard, program

pytestmark = pytest.mark.edge
IMPATIENT = {
    "enabled": True, "type": "http", "intervalSeconds": 1, "timeoutSeconds": 1, "retries": 2, "startPeriodSeconds": 0,
    "http": {"method": "GET", "scheme": "http", "host": "localhost", "path": "/", "expectedStatusCode": 200},
}  # fmt: skip


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


async def test_a_stranger_on_the_port_is_not_taken_for_an_application_that_listens_elsewhere(
    host: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = program(host.root, "elsewhere", limits=Limits(), health=IMPATIENT)
    given["runtime"] = {**given["runtime"], "startCommand": "PORT=0 python3 server"}
    order = host.order(**given)
    taken = Processes(Path(order.target.root)).port(order.deployment)
    monkeypatch.setattr(ports, "is_free", lambda _port: True)

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nstranger")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", taken):
        with pytest.raises(ProviderFailure, match="another program answers") as refused:
            await host.deploy(order)
    assert refused.value.code == "health_check_failed"
    assert host.leftovers() == []
