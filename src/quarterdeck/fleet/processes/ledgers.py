"""Small files of ours on a host, changed under a lock and replaced whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quarterdeck.fleet.processes.supervisor.record import read_json, write_json
from quarterdeck.kernel.errors import Unavailable


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path` among all processes of this host; waits."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def changing(path: Path, *, anew: bool = False) -> Iterator[dict[str, Any]]:
    """The JSON object in `path`, to be changed in place; written when the block ends well and changed it. One that is
    damaged is begun `anew` where that gives nobody what is another's; else raises `Unavailable` (`host_file_damaged`).
    """
    with locked(path.with_suffix(".lock")):
        value = read_json(path)
        if value is None:
            if os.path.lexists(path) and not anew:
                raise Unavailable(
                    f"{path} is damaged.",
                    code="host_file_damaged",
                    hint="Put it back from a backup; where there is none, stop every Quarterdeck of this host, remove "
                    "it and start them again: each enters what it holds.",
                )
            value = {}
        before = repr(value)
        yield value
        if repr(value) != before:
            write_json(path, value)
