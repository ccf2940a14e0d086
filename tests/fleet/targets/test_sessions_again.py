"""Sessions that a server refuses for a moment: it counts one that has just ended among its `MaxSessions`."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest

from quarterdeck.fleet.targets import ssh
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.errors import ProviderFailure
from real.sshd import Sshd

pytestmark = pytest.mark.sshd


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Refuse so many sessions from now on."""
    create = asyncssh.SSHClientConnection.create_process
    left = [0]

    async def sometimes(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        if left[0]:
            left[0] -= 1
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "open failed")
        return await create(self, *args, **kwargs)

    monkeypatch.setattr(asyncssh.SSHClientConnection, "create_process", sometimes)
    return left


async def test_a_session_that_is_refused_for_a_moment_is_asked_for_again(
    login: Login, server: Sshd, refusing: list[int]
) -> None:
    async with await SshHost.connect(login) as host:
        refusing[0] = len(ssh.AGAIN)
        assert (await host.run(["echo", "there"])).text == "there\n"
        refusing[0] = len(ssh.AGAIN)
        async with host.held(["cat"], "turn") as process:
            process.stdin.write_eof()


async def test_one_that_is_refused_for_good_is_told_of(login: Login, server: Sshd, refusing: list[int]) -> None:
    async with await SshHost.connect(login) as host:
        refusing[0] = 10**6
        with pytest.raises(ProviderFailure) as told:
            await asyncio.wait_for(host.run(["echo", "there"]), 10)
        assert told.value.code == "ssh_command_refused"
