from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from quarterdeck.fleet.processes import log
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.fleet.processes.supervisor import kin


@pytest.fixture
def root():
    """A target directory that other users may pass through, as on a real host."""
    with tempfile.TemporaryDirectory(prefix="process-", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        place = Path(name)
        place.chmod(0o711)
        yield place / "runtime"


@pytest.fixture
async def processes(root):
    keeper = Processes(root)
    yield keeper
    for status in keeper.list():
        await keeper.remove(status.instance, grace=0.2)


@pytest.fixture
def work(root):
    place = root.parent / "work"
    place.mkdir(mode=0o755)
    return place


async def until(condition: Callable[[], object], seconds: float = 10.0) -> object:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "did not come true in time"
        await asyncio.sleep(0.02)
    return value


def lines(processes: Processes, instance: str) -> list[log.Line]:
    """What is kept of what a process wrote."""
    return [*log.read(processes.directory(instance))]


def tagged(tag: str) -> set[int]:
    """Every living process with TAG=<tag> in its environment."""
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                environment = Path(entry.path, "environ").read_bytes().split(b"\0")
                stat = kin.read_stat(int(entry.name))
                if f"TAG={tag}".encode() in environment and stat and stat.state not in "ZX":
                    found.add(int(entry.name))
    return found
