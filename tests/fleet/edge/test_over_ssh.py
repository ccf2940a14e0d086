"""The edge's admin client, unchanged, through an SSH connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterdeck.fleet.docker.transport import dialed_transport
from quarterdeck.fleet.edge.admin import AdminClient
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.host import LocalProxyHost
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.vault import Secret
from real.sshd import new_key, sshd

pytestmark = pytest.mark.sshd


@pytest.mark.edge
async def test_the_admin_client_speaks_through_ssh(edge: Edge, tmp_path: Path) -> None:
    await edge.ensure_running()
    path = edge.layout.admin_socket
    with sshd(authorized=[new_key(tmp_path / "key")]) as server:
        login = Login("127.0.0.1", server.port, server.username, Secret((tmp_path / "key").read_text()))
        async with await SshHost.connect(login) as host:
            near_by = LocalProxyHost().through(path)
            async with AdminClient(dialed_transport(host.dialer, str(path))) as remote, AdminClient(near_by) as near:
                assert await remote.answers()
                assert await remote.configuration() == await near.configuration()
                assert await remote.in_flight() == {}
                await remote.load(*await near.configuration())
                assert "caddy" in await remote.metrics()
            nowhere = path.with_name("none.sock")
            async with AdminClient(dialed_transport(host.dialer, str(nowhere))) as remote:
                with pytest.raises(Unavailable):
                    await remote.configuration()
