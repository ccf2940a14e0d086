"""A database whose clock stands still until it is told to move."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import open_database


@pytest.fixture
def clock():
    return HeldClock(datetime(2027, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def held(database_address, clock):
    opened = open_database(database_address, clock=clock)
    yield opened
    opened.close_sync()
