"""What else goes on at a server, looked at over a real connection."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.program import program_version
from quarterdeck.fleet.targets import surroundings
from quarterdeck.fleet.targets.edge_host import SshProxyHost
from quarterdeck.fleet.targets.facts import look
from quarterdeck.fleet.targets.files import SshFiles
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.errors import Unavailable
from real.sshd import Sshd

pytestmark = pytest.mark.sshd


@pytest.fixture
def root() -> Iterator[Path]:
    """Short, because the edge has unix sockets below it."""
    made = Path(tempfile.mkdtemp(prefix="qd"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


async def test_the_edge_is_seen_as_it_runs_and_an_absent_engine_is_said(login: Login, server: Sshd, root: Path) -> None:
    server.stop()
    server.settings = [f"SetEnv DOCKER_HOST=unix://{root}/none.sock"]
    server.start()
    async with await SshHost.connect(login) as host:
        files = SshFiles(host)
        proxy = SshProxyHost(host, files, await look(host), root)
        async with Edge(root, http_port=18_761, https_port=18_762, host=proxy) as edge:
            before = await surroundings.look(host, edge, None, "mine", ["mine", "theirs"])
            assert before.edge is not None
            assert (before.edge.running, before.edge.version, before.edge.generation) == (False, None, None)
            assert before.installations == 1
            assert len(before.problems) == 1
            assert "none.sock" in before.problems[0]
            await edge.ensure_running()
            try:
                seen = (await surroundings.look(host, edge, None, "mine")).edge
                assert seen is not None
                assert (seen.running, seen.loaded, seen.version) == (True, True, program_version())
                assert seen.ports is not None
                assert seen.ports.http == 18_761
                assert len(seen.generation or "") == 12
            finally:
                await edge.stop(grace_seconds=0)
        await files.close()


def test_a_server_that_cannot_be_signed_in_to_is_told_with_what_to_do() -> None:
    found = surroundings.unreached(Unavailable("Nothing answers.", hint="Look at the firewall."))
    assert (found.edge, found.problems) == (None, ["Nothing answers. Look at the firewall."])
