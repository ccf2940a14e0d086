"""The supervisor's state, written whole and renamed into place, so that a reader never sees half of it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

STATE = "state.json"
CONTROL = "control.json"


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Raises `OSError` where not all of it could be written; what was there before stays then."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - the descriptor carries the mode
            file.write(json.dumps(value).encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


class Record:
    """Holds the last known state and writes every change."""

    def __init__(self, directory: Path, first: dict[str, Any]) -> None:
        self._path = directory / STATE
        self.value = first

    def change(self, **facts: Any) -> None:
        self.value |= facts | {"updatedAt": time.time_ns() // 1000}
        write_json(self._path, self.value)
