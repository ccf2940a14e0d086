"""Finding and ending every process that descends from one, however often it forked."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from .identity import read_stat

MARKER = "QUARTERDECK_PROCESS"


def _pids() -> list[int]:
    return [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]


def descendants(root: int) -> set[int]:
    """Everything below `root`. Orphans count, because `root` is their subreaper."""
    parents = {pid: stat.parent for pid in _pids() if (stat := read_stat(pid)) and stat.state not in "ZX"}
    found: set[int] = set()
    border = {root}
    while border:
        border = {pid for pid, parent in parents.items() if parent in border} - found
        found |= border
    return found


def marked(value: str) -> set[int]:
    """Processes whose environment carries our marker with this value: how leftovers are found whose supervisor was
    killed where there is no control group.
    """
    needle = f"{MARKER}={value}".encode()
    found = set()
    for pid in _pids():
        with contextlib.suppress(OSError):
            if needle in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.add(pid)
    found.discard(os.getpid())
    return found


def _signal_all(pids: set[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def end_descendants(root: int, seconds: float = 10.0) -> bool:
    """Stop, then kill everything below `root` until nothing is left; False when `seconds` did not suffice."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        living = descendants(root)
        if not living:
            return True
        # Stopping first keeps a forking family from outrunning the walk.
        _signal_all(living, signal.SIGSTOP)
        _signal_all(living | descendants(root), signal.SIGKILL)
        time.sleep(0.01)
    return not descendants(root)


def end_marked(value: str, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        living = {pid for pid in marked(value) if (stat := read_stat(pid)) and stat.state not in "ZX"}
        if not living:
            return True
        _signal_all(living, signal.SIGSTOP)
        _signal_all(living, signal.SIGKILL)
        time.sleep(0.01)
    return False


def reap() -> dict[int, int]:
    """Collect every ended child without waiting: pid → wait status."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status
