"""A machine, and a server that keeps its state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.infra.execution.workbench import Bench, Forge

from real.git_server import git_server
from support.state_server import StateServer, state_server


@pytest.fixture
def server() -> Iterator[StateServer]:
    with state_server() as opened:
        yield opened


@pytest.fixture
def bench(tmp_path: Path, server: StateServer) -> Bench:
    return Bench(tmp_path / "machine", server)


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    """Repositories behind a real git server."""
    directory = tmp_path / "repositories"
    directory.mkdir()
    with git_server(directory) as url:
        yield Forge(directory, url)
