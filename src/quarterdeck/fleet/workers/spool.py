"""Ends of attempts on disk until the server has them, so that a worker's restart loses none."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import structlog

from quarterdeck.kernel.faults import point
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.unreadable import UNREADABLE

log = structlog.get_logger("quarterdeck.worker")


class FileSpool:
    """One file for each unacknowledged result, named by job and fence, mode 0600. One thread writes and removes them,
    in the order in which it is told: a disk that is slow to write holds up neither heartbeats nor other jobs.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
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

    async def keep(self, frame: frames.JobResult) -> None:
        loop = asyncio.get_running_loop()
        # Who stops meanwhile leaves it on disk for the next start.
        await asyncio.shield(loop.run_in_executor(self._thread, self._write, self._path(frame), frame))

    @staticmethod
    def _write(path: Path, frame: frames.JobResult) -> None:
        partial = path.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(frames.encode(frame))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        point("worker.result.kept")

    def drop(self, frame: frames.JobResult) -> None:
        self._thread.submit(self._remove, self._path(frame))

    @staticmethod
    def _remove(path: Path) -> None:
        point("worker.result.told")
        try:
            path.unlink(missing_ok=True)
        except OSError as error:  # the server refuses it when it is told again
            log.warning("spooled_result_not_removed", file=path.name, reason=error.strerror)
