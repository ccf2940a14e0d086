"""The edge of a server behind SSH, where the server is not as it ought to be."""

from __future__ import annotations

import platform
import socket
from pathlib import Path

import pytest

from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.targets.edge_host import SshProxyHost
from quarterdeck.fleet.targets.facts import look
from quarterdeck.fleet.targets.files import SshFiles
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.errors import ProviderFailure
from real.sshd import Sshd

pytestmark = pytest.mark.sshd


async def test_the_edge_is_not_copied_to_a_processor_of_another_kind(
    login: Login, server: Sshd, tmp_path: Path
) -> None:
    other, ours = ("x86_64", "arm64") if platform.machine() in {"aarch64", "arm64"} else ("aarch64", "amd64")
    programs, root = tmp_path / "bin", tmp_path / "root"
    programs.mkdir()
    (programs / "uname").write_text(f"#!/bin/sh\necho {other}\n")
    (programs / "uname").chmod(0o755)
    server.stop()
    server.settings = [f"SetEnv PATH={programs}:/usr/sbin:/usr/bin:/sbin:/bin"]
    server.start()
    async with await SshHost.connect(login) as host:
        files, machine = SshFiles(host), await look(host)
        assert machine.machine == other
        with pytest.raises(ProviderFailure) as refused:
            await SshProxyHost(host, files, machine, root).start(Layout(tmp_path))
        await files.close()
    assert (refused.value.code, refused.value.details["phase"]) == ("architecture_unsupported", "proxy-bootstrap")
    assert f"of the kind {ours}" in (refused.value.hint or "")
    assert not root.exists()


async def test_a_port_that_somebody_has_there_is_not_chosen_for_the_edge(login: Login, tmp_path: Path) -> None:
    async with await SshHost.connect(login) as host:
        files = SshFiles(host)
        proxy = SshProxyHost(host, files, await look(host), tmp_path)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with_it = await proxy.sockets()
            assert not with_it.can_listen(port, "")
        assert (await proxy.sockets()).can_listen(port, "")
        await files.close()
