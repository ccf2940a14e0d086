"""Running git under a deadline, a size and a mask."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.deploy.sources.git import failures
from quarterdeck.deploy.sources.spec import FetchLimits
from quarterdeck.fleet.git.commands import Command
from quarterdeck.fleet.git.running import bound_to_us, masks, tree_size
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.vault import Secret

Log = Callable[[str], None]
KEPT = 16_384  # bytes of messages that are looked at afterwards
_PROGRESS = re.compile(r"^(remote: )?[A-Z][a-z]+ (objects|deltas): +\d+%")


@dataclass(frozen=True)
class Outcome:
    code: int
    output: bytes
    messages: str


@dataclass
class Budget:
    """How long and how large one whole fetch may be; watched while git runs."""

    limits: FetchLimits
    place: Path
    where: str
    clock: Clock = field(default_factory=SystemClock)
    _end: float = 0.0

    def __post_init__(self) -> None:
        self._end = self.clock.monotonic() + self.limits.seconds

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._end - self.clock.monotonic())

    async def watch(self) -> None:
        """Returns never; raises when the place outgrows its size."""
        pause = 0.2
        while True:
            await asyncio.sleep(pause)
            size = await asyncio.to_thread(tree_size, self.place)
            if size > self.limits.size:
                raise failures.too_large(
                    f"is larger than {size // 1_000_000} MB", f"{self.limits.size // 1_000_000} MB"
                )
            pause = min(2.0, pause * 1.2)


class Runner:
    def __init__(self, budget: Budget, log: Log) -> None:
        self._budget = budget
        self._log = log

    async def run(self, command: Command, *, seconds: float | None = None, most: int = 64_000_000) -> Outcome:
        """Run to the end, or raise Timeout or `source_too_large`; whatever happens no process of it is left."""
        allowed = min(self._budget.seconds_left, seconds if seconds is not None else float("inf"))
        secrets = [value.reveal() for value in command.environment.values() if isinstance(value, Secret)]
        search = command.environment.get("PATH")
        if not shutil.which("git", path=search if isinstance(search, str) else None):
            raise failures.git_missing()
        plain = {k: v.reveal() if isinstance(v, Secret) else v for k, v in command.environment.items()}
        process = await asyncio.create_subprocess_exec(
            *bound_to_us(),
            *command.argv,
            env=plain,
            cwd=command.directory or "/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        watching = asyncio.create_task(self._budget.watch())
        working = asyncio.create_task(self._collect(process, most, masks(secrets)))
        try:
            async with asyncio.timeout(allowed):
                await asyncio.wait({watching, working}, return_when=asyncio.FIRST_COMPLETED)
                if not working.done():
                    watching.result()
                return await working
        except TimeoutError:
            raise failures.timed_out(self._budget.where, round(allowed, 1)) from None
        finally:
            await self._end(process, watching, working)

    @staticmethod
    async def _end(process: asyncio.subprocess.Process, *tasks: asyncio.Task[object]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await process.wait()

    async def _collect(self, process: asyncio.subprocess.Process, most: int, hide: Callable[[str], str]) -> Outcome:
        if process.stdout is None or process.stderr is None:
            raise RuntimeError("git was started without pipes")
        output, messages = await asyncio.gather(_bounded(process.stdout, most), self._listen(process.stderr, hide))
        return Outcome(await process.wait(), output, messages)

    async def _listen(self, stream: asyncio.StreamReader, hide: Callable[[str], str]) -> str:
        kept, rest = "", ""
        while chunk := await stream.read(8192):
            *lines, rest = re.split(r"[\r\n]+", rest[-4096:] + chunk.decode(errors="replace"))
            self._show(lines, hide)
            kept = (kept + "\n".join(lines) + "\n")[-KEPT:]
        self._show([rest], hide)
        return hide(kept + rest)

    def _show(self, lines: Iterable[str], hide: Callable[[str], str]) -> None:
        for line in lines:
            # Hundreds of percentages say no more than the one line that ends with `done.`
            if line.strip() and (not _PROGRESS.match(line) or "done" in line):
                self._log(hide(line.strip()[:500]))


async def _bounded(stream: asyncio.StreamReader, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while chunk := await stream.read(65_536):
        size += len(chunk)
        if size > most:
            raise failures.too_large("lists more files than can be read", f"{most // 1_000_000} MB of names")
        parts.append(chunk)
    return b"".join(parts)
