from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from tests.tasks.running.desk import Bench, Desk


@pytest.fixture
def bench():
    """A machine; its directory may be passed through by other users, as a worker's is."""
    with tempfile.TemporaryDirectory(prefix="qd-run-", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        place = Path(name)
        place.chmod(0o711)
        yield Bench(place)


@pytest.fixture
async def desk():
    return Desk()
