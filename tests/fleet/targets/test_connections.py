"""Sharing connections, and replacing one that was cut."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from quarterdeck.fleet.targets.connections import Connections
from quarterdeck.fleet.targets.login import HostKeyPin, Login
from quarterdeck.kernel.errors import Conflict
from real.sshd import Sshd

pytestmark = pytest.mark.sshd


def accepted(server: Sshd) -> int:
    return (server.directory / "log").read_text().count("Accepted publickey")


async def test_one_connection_serves_everybody_until_nobody_needs_it(login: Login, server: Sshd) -> None:
    connections = Connections()

    async def use(number: int) -> str:
        async with connections.to(login) as host:
            return (await host.run(["echo", str(number)])).text.strip()

    assert await asyncio.gather(*(use(number) for number in range(5))) == ["0", "1", "2", "3", "4"]
    assert accepted(server) == 1
    async with connections.to(login) as host:
        await connections.close(idle=0)
        assert not host.closed  # somebody uses it
    await connections.close(idle=0)
    assert host.closed
    assert await use(6) == "6"
    assert accepted(server) == 2
    await connections.close()


async def test_a_cut_connection_is_replaced(login: Login, server: Sshd) -> None:
    connections = Connections()
    async with connections.to(login) as first:
        server.cut()
        while not first.closed:
            await asyncio.sleep(0.01)
    async with connections.to(login) as second:
        assert (await second.run(["true"])).status == 0
    await connections.close()


async def test_a_connection_is_not_lent_to_who_expects_another_host(login: Login) -> None:
    connections = Connections()
    async with connections.to(login):
        stranger = replace(login, pin=HostKeyPin("SHA256:" + "A" * 43, "ssh-ed25519"))
        with pytest.raises(Conflict):
            async with connections.to(stranger):
                raise AssertionError
    await connections.close()
