"""Machines to carry orders out on: a directory, an edge, and an engine where a test asks for one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.yard import NOBODY, Yard, free_port


@pytest.fixture
def place() -> Iterator[Path]:
    """Short, because of the edge's sockets, and passable for the users of applications. Sources lie beside it."""
    made = Path(tempfile.mkdtemp(prefix="qd-x-"))
    made.chmod(0o711)
    runtime = made / "run"
    runtime.mkdir(mode=0o711)
    yield runtime
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
async def host(place: Path) -> AsyncIterator[Yard]:
    """A machine without an engine."""
    yard = Yard(place, NOBODY, free_port())
    yield yard
    await yard.clear()


@pytest.fixture
async def dock(place: Path, docker_host: str) -> AsyncIterator[Yard]:
    """A machine with an engine."""
    yard = Yard(place, docker_host, free_port())
    yield yard
    await yard.clear()
