"""Places where a test may end the process as a power failure would.

`point("cut-over.switched")` does nothing unless `QUARTERDECK_FAULTS` names a directory. There every passage is added to
the file `trace`, and a file `armed` that holds `NAME N` ends the process by SIGKILL at the N-th passage of NAME from
then on. The file is removed first, so that the next process lives.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

_DIRECTORY = os.environ.get("QUARTERDECK_FAULTS")
_lock = threading.Lock()
_passed: dict[str, int] = {}


def point(name: str) -> None:
    """A place before or after an effect outside this process. Free of cost in production."""
    if _DIRECTORY is not None:
        _pass(Path(_DIRECTORY), name)


class Unit(Protocol):
    def after_commit(self, callback: Callable[[], None]) -> None: ...


def committing(tx: Unit, name: str) -> None:
    """Two places: NAME inside of a unit of work, and `NAME.committed` as soon as that is durable."""
    if _DIRECTORY is not None:
        point(name)
        tx.after_commit(partial(point, f"{name}.committed"))


def _pass(directory: Path, name: str) -> None:
    with _lock:
        with (directory / "trace").open("a") as trace:
            trace.write(f"{name}\n")
        armed = directory / "armed"
        try:
            order = armed.read_text()
        except FileNotFoundError:
            _passed.clear()
            return
        wanted, number = order.split()[:2]
        if wanted != name:
            return
        _passed[order] = _passed.get(order, 0) + 1
        if _passed[order] >= int(number):
            armed.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
