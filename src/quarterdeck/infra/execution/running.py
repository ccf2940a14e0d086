"""Running terraform: its lines as they come, bounded; nothing of it left running."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from quarterdeck.infra.execution import failures
from quarterdeck.infra.execution.commands import Command
from quarterdeck.infra.execution.interrupting import Why, kill_group, let_run
from quarterdeck.infra.execution.reporting import Reporter
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.vault import Secret

LINE = 16_000
"""Characters of a line; a longer one goes on as the next."""
KEPT = 32_768
"""Characters of the end of what it said that are looked at afterwards."""
CHUNK = 65_536
DRAIN = 1 << 20
"""Bytes of output after which the server is let catch up."""
DRAIN_SECONDS = 5.0
LOOK_SECONDS = 0.2
FIRM_SECONDS = 120.0
"""What has to be done although time is over may take so long."""


@dataclass(frozen=True)
class Ran:
    """`code` is negative for a signal. `output` is what it wrote to its output where that was asked for, whole unless
    `cut`; `said` is the end of everything else. `why` says who interrupted it.
    """

    code: int
    said: str
    output: bytes
    cut: bool
    why: Why | None


class Running:
    """Runs the programs of one attempt, whose time is counted from here on. `lock` is a descriptor that each of them
    inherits, so that their directory is known to be in use.
    """

    def __init__(self, reporter: Reporter, seconds: int, grace: int, lock: int | None = None) -> None:
        self.reporter = reporter
        self.seconds = seconds
        self._grace = grace
        self._lock = lock
        self._end = asyncio.get_running_loop().time() + seconds
        self._said = ""
        self._drained = 0

    @property
    def left(self) -> float:
        return max(0.0, self._end - asyncio.get_running_loop().time())

    async def run(
        self, command: Command, what: str, *, capture: int | None = None, quiet: bool = False, firm: bool = False
    ) -> Ran:
        """Run to the end, or until the job is to stop. `capture`: the output is answered, so many bytes at most,
        instead of logged; `quiet`: neither are its messages; `firm`: also when the job is to stop. Raises
        `Unavailable` when it cannot be started.
        """
        self._said = ""
        point(f"infra.{what}.start")
        process = await self._start(command)
        working = asyncio.create_task(self._collect(process, capture, quiet=quiet))
        try:
            seconds = max(self.left, FIRM_SECONDS) if firm else self.left
            why = await let_run(
                process.pid, working, self.reporter.context, seconds, self._grace, self.reporter.say, firm=firm
            )
            output, cut = await working
        finally:
            kill_group(process.pid)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await process.wait()
        point(f"infra.{what}.ended")
        return Ran(process.returncode or 0, self._said, output, cut, why)

    async def _start(self, command: Command) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *_interrupted_with_us(),
                *command.argv,
                env=_plain(command.environment),
                cwd=command.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=() if self._lock is None else (self._lock,),
                start_new_session=True,
            )
        except OSError as error:
            raise failures.of_file(error, f"a run of {command.argv[0]}") from None

    async def _collect(
        self, process: asyncio.subprocess.Process, capture: int | None, *, quiet: bool
    ) -> tuple[bytes, bool]:
        if process.stdout is None or process.stderr is None:
            raise RuntimeError("started without pipes")
        first = self._captured(process.stdout, capture) if capture is not None else self._listened(process.stdout)
        reading = asyncio.gather(first, self._listen(process.stderr, "stderr", quiet=quiet))
        try:
            while not reading.done() and process.returncode is None:
                await asyncio.wait({reading}, timeout=LOOK_SECONDS)
            if not reading.done():  # what it left running holds the pipes open
                kill_group(process.pid)
            (output, cut), _ = await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        await process.wait()
        return output, cut

    async def _listened(self, stream: asyncio.StreamReader) -> tuple[bytes, bool]:
        await self._listen(stream, "stdout", quiet=False)
        return b"", False

    @staticmethod
    async def _captured(stream: asyncio.StreamReader, most: int) -> tuple[bytes, bool]:
        kept, cut = bytearray(), False
        while chunk := await stream.read(CHUNK):
            cut = cut or len(kept) + len(chunk) > most
            if not cut:
                kept += chunk
        return bytes(kept), cut

    async def _listen(self, stream: asyncio.StreamReader, name: str, *, quiet: bool) -> None:
        rest = ""
        while chunk := await stream.read(CHUNK):
            text = rest + chunk.decode(errors="replace")
            *lines, rest = text.replace("\r\n", "\n").split("\n")
            while len(rest) > LINE:
                lines.append(rest[:LINE])
                rest = rest[LINE:]
            await self._tell(lines, name, quiet=quiet)
        await self._tell([rest] if rest else [], name, quiet=quiet)

    async def _tell(self, lines: list[str], name: str, *, quiet: bool) -> None:
        cut = [line[at : at + LINE] for line in lines for at in range(0, max(1, len(line)), LINE)]
        self._said = (self._said + "".join(f"{line}\n" for line in cut))[-KEPT:]
        if quiet:
            return
        self.reporter.output(cut, name)
        self._drained += sum(map(len, cut))
        if self._drained > DRAIN:
            self._drained = 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self.reporter.context.drain()


def _interrupted_with_us() -> tuple[str, ...]:
    """A prefix by which terraform is interrupted, and so writes its state, when the worker is killed."""
    return ("setpriv", "--pdeathsig", "INT", "--") if shutil.which("setpriv") else ()


def _plain(environment: Mapping[str, str | Secret[str]]) -> dict[str, str]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in environment.items()}
