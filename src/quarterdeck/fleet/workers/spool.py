"""Ends of attempts on disk until the server has them, so that a worker's restart loses none."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import structlog

from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.unreadable import UNREADABLE

log = structlog.get_logger("quarterdeck.worker")


class FileSpool:
    """One file for each unacknowledged result, named by job and fence, mode 0600."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, frame: frames.JobResult) -> Path:
        return self._directory / f"{frame.job_id}-{frame.fence}.json"

    def load(self) -> list[frames.JobResult]:
        found = []
        for path in sorted(self._directory.glob("*.json")):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=frames.JobResult))
            except UNREADABLE:
                log.warning("spooled_result_unreadable", file=path.name)
                path.unlink(missing_ok=True)
        return found

    def keep(self, frame: frames.JobResult) -> None:
        path = self._path(frame)
        partial = path.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(frames.encode(frame))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)

    def drop(self, frame: frames.JobResult) -> None:
        self._path(frame).unlink(missing_ok=True)
