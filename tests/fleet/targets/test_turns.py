"""Who connects at the same time waits for the first; nothing is kept of those who are done."""

from __future__ import annotations

import asyncio

import pytest

from quarterdeck.fleet.targets import connections as room
from quarterdeck.fleet.targets.connections import Connections
from quarterdeck.fleet.targets.login import Login
from quarterdeck.kernel.errors import Unavailable


class Host:
    closed = False

    def __init__(self, login: Login) -> None:
        self.login = login

    async def close(self) -> None:
        self.closed = True


async def test_no_turn_is_kept_of_logins_that_are_done_and_each_connects_once(monkeypatch):
    made: list[str] = []

    class Dialled:
        @staticmethod
        async def connect(login):
            await asyncio.sleep(0.01)
            made.append(login.host)
            if login.host == "away":
                raise Unavailable("It does not answer.")
            return Host(login)

    monkeypatch.setattr(room, "SshHost", Dialled)
    connections = Connections()

    async def use(host):
        async with connections.to(Login(host, 22, "root", None)) as found:
            return found

    hosts = [f"host-{number}" for number in range(20)]
    used = await asyncio.gather(*(use(host) for host in hosts * 3))
    assert sorted(made) == sorted(hosts)
    assert len(set(map(id, used))) == 20
    with pytest.raises(Unavailable):
        await use("away")
    assert connections._turns == {}
    await connections.close()
