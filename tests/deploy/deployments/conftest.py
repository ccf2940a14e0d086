from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.harbour import Harbour


@pytest.fixture
async def harbour(
    tmp_path: Path, database_address: str | Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Harbour]:
    """Nothing runs in it: tests take the part of the worker."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    data = tmp_path if isinstance(database_address, Path) else tmp_path / "data"
    data.chmod(0o700) if data.exists() else None
    folder = tmp_path.parent / f"{tmp_path.name}-source"
    folder.mkdir()
    (folder / "index.html").write_text("hello")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    opened = await Harbour.open(data, database_address, port, {"kind": "local-folder", "locator": str(folder)})
    yield opened
    await opened.instance.close()
