"""A program in a terminal of its own: started, read, written to, sized, signalled, ended; on the worker's loop.

Nothing is read that nobody has taken yet, so a program that writes faster than its output is dealt with waits in the
kernel. Nothing of it outlives `end`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import pty
import struct
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import quarterdeck
from quarterdeck.kernel.errors import ProviderFailure

CHUNK = 65_536
ANSWER_SECONDS = 30.0
END_SECONDS = 15.0
MARKER = "QUARTERDECK_PROCESS"
KEEPER = (sys.executable, "-S", "-P", "-m", "quarterdeck.tasks.running.keeper")


class NotStarted(Exception):
    """The program could not be started; `step` says which part of it: `program` when there is none."""

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message)
        self.step = step
        self.message = message


@dataclass(frozen=True, slots=True)
class Start:
    """What to start. `marker` is unique on the host; bytes for sizes; `uid` None keeps the worker's own user."""

    argv: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    marker: str
    record: Path
    """Where what runs is written down for the worker's next start."""
    uid: int | None = None
    memory: int | None = None
    cpus: float | None = None
    processes: int | None = None
    columns: int = 120
    rows: int = 40

    def order(self, terminal: int) -> dict[str, Any]:
        return {
            "terminal": terminal,
            "record": str(self.record),
            "launch": {
                "instance": self.marker,
                "digest": "",
                "marker": self.marker,
                "argv": list(self.argv),
                "directory": str(self.directory),
                "environment": {**self.environment, MARKER: self.marker},
                "uid": self.uid,
                "memory": self.memory,
                "cpus": self.cpus,
                "pids": self.processes,
            },
        }


@dataclass
class Program:
    """A running one; made by `start`."""

    pid: int
    _keeper: asyncio.subprocess.Process
    _orders: asyncio.StreamWriter
    _master: int
    limits: tuple[str, ...] = ()
    """Which of its limits a control group enforces."""
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    status: int | None = None
    """Its exit status once it has exited, negative for a signal."""
    left: int = 0
    """How many processes it left behind, known after `end`."""
    _listening: asyncio.Task[None] | None = None
    _ended: bool = False
    _open: bool = True
    _waiting: set[asyncio.Future[None]] = field(default_factory=set)

    async def read(self) -> bytes:
        """The next output; empty once the program and all that could write to its terminal are gone, or it ended."""
        while self._open:
            try:
                data = os.read(self._master, CHUNK)
            except BlockingIOError:
                await self._ready(reading=True)
                continue
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return b""
            if data:
                return data
            return b""
        return b""

    async def write(self, data: bytes) -> None:
        """Type `data`; waits while the program does not read. What is typed to a program that ended is dropped."""
        rest = memoryview(data)
        while rest and self._open and not self.exited.is_set():
            try:
                rest = rest[os.write(self._master, rest[:2048]) :]
            except BlockingIOError:
                await self._ready(reading=False)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return

    async def _ready(self, *, reading: bool) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        self._waiting.add(ready)
        add, remove = (loop.add_reader, loop.remove_reader) if reading else (loop.add_writer, loop.remove_writer)
        add(self._master, _settle, ready)
        try:
            await ready
        finally:
            self._waiting.discard(ready)
            if self._open:
                remove(self._master)

    def resize(self, columns: int, rows: int) -> None:
        if self._open:
            _size(self._master, columns, rows)

    def signal(self, number: int) -> None:
        self._order({"signal": number})

    async def end(self, seconds: float = 0.0) -> None:
        """After `seconds`, or as soon as all of it has ended by itself, kill what is left; returns when nothing is."""
        if self._ended:
            return
        self._ended = True
        self._order({"end": seconds})
        try:
            async with asyncio.timeout(seconds + END_SECONDS):
                await self._keeper.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._keeper.kill()
            await self._keeper.wait()
        if self._listening is not None:
            await self._listening

    def close(self) -> None:
        """Let go of the terminal."""
        if self._open:
            self._open = False
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._master)
            loop.remove_writer(self._master)
            for one in self._waiting:
                _settle(one)
            os.close(self._master)

    def _order(self, what: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, RuntimeError):
            self._orders.write(json.dumps(what).encode() + b"\n")

    def listen(self, answers: asyncio.StreamReader) -> None:
        """Hear from the keeper from now on."""
        self._listening = asyncio.create_task(self._listen(answers), name="agent-keeper")

    async def _listen(self, answers: asyncio.StreamReader) -> None:
        try:
            while line := await answers.readline():
                said = json.loads(line)
                if "exited" in said:
                    self.status = said["exited"]
                    self.exited.set()
                if "ended" in said:
                    self.left = said["left"]
        finally:
            # A keeper that was killed takes the program with it.
            self.exited.set()
            for one in self._waiting:  # what was typed to it is not waited for any more
                _settle(one)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def start(what: Start) -> Program:
    """Start it. Raises `NotStarted`, and `ProviderFailure` where its keeper does not answer."""
    master, slave = pty.openpty()
    try:
        os.set_blocking(master, False)
        _size(slave, what.columns, what.rows)
        if what.uid is not None:
            os.fchown(slave, what.uid, -1)
        keeper = await asyncio.create_subprocess_exec(
            *KEEPER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env={
                "PATH": os.defpath,
                "PYTHONPATH": str(Path(quarterdeck.__file__).parents[1]),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            pass_fds=(slave,),
            start_new_session=True,
        )
    except BaseException:
        os.close(master)
        raise
    finally:
        order = what.order(slave)
        os.close(slave)
    try:
        orders, answers = _pipes(keeper)
        said = await _started(keeper, orders, answers, order)
    except BaseException:
        os.close(master)
        with contextlib.suppress(ProcessLookupError):
            keeper.kill()
        raise
    program = Program(said["started"], keeper, orders, master, tuple(said["limits"]))
    program.listen(answers)
    return program


def _pipes(process: asyncio.subprocess.Process) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("started without pipes")
    return process.stdin, process.stdout


async def _started(
    keeper: asyncio.subprocess.Process,
    orders: asyncio.StreamWriter,
    answers: asyncio.StreamReader,
    order: dict[str, Any],
) -> dict[str, Any]:
    orders.write(json.dumps(order).encode() + b"\n")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await answers.readline()
    except TimeoutError:
        line = b""
    if not line:
        raise ProviderFailure(
            "The process that starts agent programs did not answer.",
            code="agent_keeper_failed",
            hint="Check the load of the machine and the worker's own log.",
        )
    said: dict[str, Any] = json.loads(line)
    if "refused" in said:
        await keeper.wait()
        raise NotStarted(said["refused"], said["message"])
    return said


def _size(descriptor: int, columns: int, rows: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
