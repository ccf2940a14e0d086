"""A command line and a broker surface that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.secrets import broker_api
from cli.secrets.broker_api import BrokerApi


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch, impatient: None) -> Iterator[BrokerApi]:
    """Signed in, and pauses take no time. At the end nothing may have been asked against the contract."""
    monkeypatch.setenv("TZ", "UTC")
    with BrokerApi() as made:
        monkeypatch.setenv("QUARTERDECK_URL", made.url)
        monkeypatch.setenv("QUARTERDECK_TOKEN", broker_api.TOKEN)
        yield made
        assert made.wrong == []


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str], str]:
    def write(name: str, text: str) -> str:
        (tmp_path / name).write_bytes(text.encode())
        return str(tmp_path / name)

    return write
