"""As much of an instance as housekeeping asks for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from quarterdeck.kernel.bus import Bus
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.logs import Logs


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def house(database_address, database_kind, tmp_path, clock):
    """As much of an instance as housekeeping asks for, at a time that tests hold."""
    db = open_database(database_address, clock=clock, bus=Bus())
    logs = Logs(database_address if database_kind == "postgresql" else tmp_path / "logs.db", clock=clock)
    yield SimpleNamespace(
        db=db,
        logs=logs,
        uid="instance",
        settings=SimpleNamespace(runtime_log_size=64 << 20),
        data=DataDirectory(tmp_path),
        placement=SimpleNamespace(docker_host="unix:///nonexistent/docker.sock"),
    )
    await logs.shut()
    await db.close()
