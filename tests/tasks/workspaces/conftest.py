"""A repository behind a real git server, and workspaces that stand on it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from quarterdeck.kernel.clock import HeldClock
from quarterdeck.tasks.workspaces.workspaces import Workspaces
from real.git_server import git, repository, running
from support.hub import TOKEN, Hub


@pytest.fixture
def hub():
    """The repository has a branch `main` with one commit, and opens to the token alone."""
    # Not below pytest's own directory, which is closed to other users: an agent may be one.
    with tempfile.TemporaryDirectory(prefix="qd-hub-") as made:
        home = Path(made)
        home.chmod(0o755)
        repository(home / "source", {"app.py": "print('one')\n", "docs/guide.md": "one\ntwo\nthree\n"})
        served = home / "served"
        served.mkdir()
        git(home, "clone", "--quiet", "--bare", str(home / "source"), str(served / "shop.git"))
        git(served / "shop.git", "config", "http.receivepack", "true")
        with running(served, "x-access-token", TOKEN) as server:
            yield Hub(home, server.url, server)


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def workspaces(hub, clock):
    return Workspaces(hub.home / "workspaces", clock=clock)
