"""What takes a minute of waiting runs beside the other tests, and is asked for in the end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.server import environment

TESTS = Path(__file__).resolve().parents[1]


def in_a_network_of_its_own(module: str, place: str) -> subprocess.Popen[str]:
    """A module that works in `place`, where port 80 is free and names are ours."""
    variables = environment(None)
    variables.pop("SSL_CERT_FILE", None)
    variables["PYTHONPATH"] += os.pathsep + str(TESTS)
    command = ["unshare", "--net", "--mount", sys.executable, "-W", "ignore", "-m", module, place]
    return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


WAITS = "test_without_authority.py"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name == WAITS)


@pytest.fixture(scope="session", autouse=True)
def away(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str] | None]:
    """`front_door.away`, under way since the first test of this directory; None where no test will ask for it."""
    if not any(item.path.name == WAITS for item in request.session.items):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="qd-away-") as place:
        process = in_a_network_of_its_own("front_door.away", place)
        yield process
        process.kill()
        process.wait()
