"""A machine, and a server that keeps its state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.execution.workbench import Bench
from support.state_server import StateServer, state_server


@pytest.fixture
def server() -> Iterator[StateServer]:
    with state_server() as opened:
        yield opened


@pytest.fixture
def bench(tmp_path: Path, server: StateServer) -> Bench:
    return Bench(tmp_path / "machine", server)
