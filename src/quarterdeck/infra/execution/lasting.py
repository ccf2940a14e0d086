"""Credentials for as long as a job may take: files in the directory of its attempt, which providers read again by
themselves when what they had has run out, and which are gone with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

from quarterdeck.infra.execution import failures
from quarterdeck.kernel.errors import Problem

EVERY = 1800.0
"""Seconds after which what lasts an hour is fetched anew, so that whoever reads it has half of that left at least."""
AGAIN = 60.0
"""The same after one that failed."""
log = structlog.get_logger("quarterdeck.infra")


@dataclass(frozen=True, slots=True)
class Keeping:
    """`directory` is the attempt's own (0700). What `secret` is told is masked in everything that the job says."""

    directory: Path
    secret: Callable[[Iterable[str]], None]

    def write(self, name: str, content: str) -> Path:
        """A file (0600), whole at every moment. Raises `Unavailable` of `failures.of_file`."""
        path, fresh = self.directory / name, self.directory / f"{name}.new"
        try:
            self.directory.mkdir(mode=0o700, exist_ok=True)
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - the descriptor carries the mode
                file.write(content)
            fresh.replace(path)
        except OSError as error:
            raise failures.of_file(error, "the credentials of the job") from None
        return path


@contextlib.asynccontextmanager
async def renewed(
    renew: Callable[[], Awaitable[None]], every: float = EVERY, again: float = AGAIN
) -> AsyncIterator[None]:
    """Call `renew` now, and every so often while the block runs. What it raises the first time is raised; afterwards it
    is tried again, because what there is lasts a while.
    """
    await renew()

    async def on() -> None:
        wait = every
        while True:
            await asyncio.sleep(wait)
            try:
                await renew()
                wait = every
            except Problem as problem:
                log.warning("cloud_credentials_not_renewed", code=problem.code, reason=problem.message)
                wait = again

    task = asyncio.create_task(on())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
