from __future__ import annotations

from datetime import UTC, datetime

import pytest

from quarterdeck.kernel.logs import Line, Logs

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def line(message: str, *, channel: str = "stdout", time: datetime = MOMENT) -> Line:
    return Line(time, "application", channel, "package", "info", message)


@pytest.fixture
async def logs(database_address, database_kind, tmp_path):
    opened = Logs(database_address if database_kind == "postgresql" else tmp_path / "logs.db")
    yield opened
    await opened.shut()
