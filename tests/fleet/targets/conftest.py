"""An SSH server of this run's own, and somebody whom it lets in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterdeck.fleet.targets.login import Login
from quarterdeck.kernel.vault import Secret
from real.sshd import Sshd, new_key, sshd


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A private key, and its public line."""
    path: Path = tmp_path_factory.mktemp("keys") / "key"
    public = new_key(path)
    return path.read_text(), public


@pytest.fixture
def server(keys: tuple[str, str]) -> Iterator[Sshd]:
    with sshd(authorized=[keys[1]]) as running:
        yield running


@pytest.fixture
def login(server: Sshd, keys: tuple[str, str]) -> Login:
    return Login("127.0.0.1", server.port, server.username, Secret(keys[0]))
