"""Running terraform: its lines as they come, bounded; nothing of it left running."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from quarterdeck.infra.execution import failures, keeper
from quarterdeck.infra.execution.commands import Command
from quarterdeck.infra.execution.interrupting import Why, end_all, let_run
from quarterdeck.infra.execution.reporting import Reporter
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.vault import Secret

KEEPER = (sys.executable, "-I", "-S", "-B", keeper.__file__)
LINE = 16_000
"""Characters of a line; a longer one goes on as the next."""
KEPT = 32_768
"""Characters of the end of what it said that are looked at afterwards."""
CHUNK = 65_536
DRAIN = 1 << 20
"""Bytes of output after which the server is let catch up."""
DRAIN_SECONDS = 5.0
LOOK_SECONDS = 0.2
ROOM = 1 << 20
"""Bytes that a program may write after we are gone."""
LEFT_SECONDS = 5.0
"""How long the output of a program that has ended may go on, held open by whatever got away."""
FIRM_SECONDS = 120.0
"""What has to be done although time is over may take so long."""


class Pipe:
    """A way from a program to us that does not break when we are killed, because the program holds both of its ends:
    written into a broken one, the word that it was interrupted would be the end of terraform, its state unwritten.
    """

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe2(os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, ROOM)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[asyncio.StreamReader]:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        file = os.fdopen(self.reading, "rb", buffering=0)
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
        try:
            yield reader
        finally:
            transport.close()


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
        process, output, messages = await self._start(command)
        working = asyncio.create_task(self._collect(process, output, messages, capture, quiet=quiet))
        try:
            seconds = max(self.left, FIRM_SECONDS) if firm else self.left
            why = await let_run(
                process, working, self.reporter.context, seconds, self._grace, self.reporter.say, firm=firm
            )
            captured, cut = await working
        finally:
            end_all(process)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await process.wait()
        point(f"infra.{what}.ended")
        return Ran(process.returncode or 0, self._said, captured, cut, why)

    async def _start(self, command: Command) -> tuple[asyncio.subprocess.Process, Pipe, Pipe]:
        output, messages = Pipe(), Pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *KEEPER,
                str(os.getpid()),
                *command.argv,
                env=_plain(command.environment),
                cwd=command.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output.writing,
                stderr=messages.writing,
                pass_fds=(output.reading, messages.reading, *(() if self._lock is None else (self._lock,))),
                start_new_session=True,
            )
        except BaseException as error:
            for pipe in (output, messages):
                os.close(pipe.reading)
            if isinstance(error, OSError):
                raise failures.of_file(error, f"a run of {command.argv[0]}") from None
            raise
        finally:
            os.close(output.writing)
            os.close(messages.writing)
        return process, output, messages

    async def _collect(
        self, process: asyncio.subprocess.Process, output: Pipe, messages: Pipe, capture: int | None, *, quiet: bool
    ) -> tuple[bytes, bool]:
        async with output.opened() as first, messages.opened() as second:
            return await self._read(process, first, second, capture, quiet=quiet)

    async def _read(
        self,
        process: asyncio.subprocess.Process,
        output: asyncio.StreamReader,
        messages: asyncio.StreamReader,
        capture: int | None,
        *,
        quiet: bool,
    ) -> tuple[bytes, bool]:
        first = self._captured(output, capture) if capture is not None else self._listened(output)
        reading = asyncio.gather(first, self._listen(messages, "stderr", quiet=quiet))
        try:
            while not reading.done() and process.returncode is None:
                await asyncio.wait({reading}, timeout=LOOK_SECONDS)
            if not reading.done():  # what it left running holds the pipes open
                end_all(process)
                await asyncio.wait({reading}, timeout=LEFT_SECONDS)
            (captured, cut), _ = reading.result() if reading.done() else ((b"", True), None)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        await process.wait()
        return captured, cut

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


def _plain(environment: Mapping[str, str | Secret[str]]) -> dict[str, str]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in environment.items()}
