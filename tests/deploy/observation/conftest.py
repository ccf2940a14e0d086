from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from quarterdeck.fleet.processes.runtime import Processes
from support.harbour import Harbour
from support.yard import SERVER


@pytest.fixture
async def started(database_address: str | Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Harbour]:
    """A running installation without an engine, whose resource is a host process that tells its secret."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    place = Path(tempfile.mkdtemp(prefix="qd-o-"))
    place.chmod(0o711)  # noqa: ASYNC240 - before anything runs
    (place / "source").mkdir()
    (place / "source" / "index.html").write_text("hello")
    tell = "import os;print('the token is',os.environ.get('TOKEN'),flush=True)\n"
    (place / "source" / "server").write_text(tell + SERVER)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if isinstance(database_address, Path):
        (place / "data").mkdir(mode=0o700)
        shutil.copy(database_address, place / "data" / "quarterdeck.db")
        database_address = place / "data" / "quarterdeck.db"
    harbour = await Harbour.open(
        place / "data", database_address, port, {"kind": "local-folder", "locator": str(place / "source")},
        runtime={"strategy": "workspace-commands", "startCommand": "python3 server", "installCommand": "true"},
    )  # fmt: skip
    await harbour.instance.start()
    try:
        yield harbour
    finally:
        if harbour.instance.edge is not None:
            await harbour.instance.edge.stop(grace_seconds=1)
        await harbour.instance.stop()
        processes = Processes(place / "data" / "runtime")
        for status in processes.list():
            await processes.remove(status.instance, 0)
        shutil.rmtree(place, ignore_errors=True)
