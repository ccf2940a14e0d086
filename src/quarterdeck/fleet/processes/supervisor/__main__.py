"""`python -m …supervisor DIRECTORY < launch.json`: detach, take the instance's lock, start, answer one line, watch."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from pathlib import Path

from .child import StartFailed
from .launch import Launch
from .watch import Supervisor


def main(directory: Path) -> int:
    launch = Launch.load(json.loads(sys.stdin.buffer.read()))
    if os.fork():
        # The starter waits for this one; the child of it belongs to nobody and outlives the starter.
        os._exit(0)
    lock = os.open(directory / "supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _answer({"refused": "already-supervised"}, 75)
    try:
        supervisor = Supervisor(directory, launch)
        supervisor.start()
    except StartFailed as error:
        return _answer({"refused": "not-started", "step": error.step, "message": error.message}, 70)
    _answer({"started": True}, 0)
    supervisor.run()
    return 0


def _answer(value: dict[str, object], status: int) -> int:
    os.write(1, json.dumps(value).encode())
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
