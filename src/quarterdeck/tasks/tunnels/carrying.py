"""Carrying one tunnel on its worker: started, watched, started again, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.fleet.git.running import bound_to_us
from quarterdeck.tasks.orders import TunnelReport
from quarterdeck.tasks.running.calls import interpreter
from quarterdeck.tasks.tunnels.adapters import ADAPTERS, Adapter
from quarterdeck.tasks.tunnels.orders import TunnelOrder
from quarterdeck.tasks.tunnels.states import State
from quarterdeck.tasks.workspaces.users import AgentUser

PAUSES = (2.0, 4.0, 8.0)
"""Before each of the times that a program which crashed is started again (contract: tasks §6)."""
LOGIN_SECONDS = 900.0
"""How long somebody has to enter a code: as long as providers keep it."""
STOP_SECONDS = 5.0
LONGEST_LINE = 4096
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")
Report = Callable[[TunnelReport], Awaitable[None]]


class _Over(Exception):
    """The tunnel has ended, in this state."""

    def __init__(self, state: State, error: str | None = None) -> None:
        super().__init__(state)
        self.state = state
        self.error = error


@dataclass
class Carrier:
    """`stop` ends it. `report` is awaited for each state, in order; what it raises ends the tunnel, too."""

    order: TunnelOrder
    user: AgentUser
    report: Report
    stop: asyncio.Event
    adapters: Mapping[str, Adapter] = field(default_factory=lambda: ADAPTERS)
    pauses: tuple[float, ...] = PAUSES
    login_seconds: float = LOGIN_SECONDS
    stop_seconds: float = STOP_SECONDS
    over: bool = False
    """It has ended, and nothing is left of it to do but to tell so."""

    async def run(self) -> State:
        """Carry the tunnel to its end, which is answered; no process of it is left."""
        until = asyncio.get_running_loop().time() + self.order.life_seconds
        await self._say("STARTING")
        try:
            over = await self._carry(until)
        except _Over as ended:
            over = ended
        self.over = True
        await self._say(over.state, error=over.error)
        return over.state

    async def _carry(self, until: float) -> _Over:
        adapter = self.adapters.get(self.order.kind)
        if adapter is None:
            return _Over("FAILED", f"This machine knows no tunnel of the kind {self.order.kind}.")
        for pause in self.pauses:
            crash = await self._once(adapter, until)
            await self._say("STARTING", error=crash)
            await self._pause(pause, until)
        crash = await self._once(adapter, until)
        return _Over("FAILED", f"It ended {len(self.pauses) + 1} times, at last with: {crash}")

    async def _say(self, state: State, **facts: str | None) -> None:
        await self.report(TunnelReport(state=state, kind=self.order.kind, name=self.order.name, **facts))

    async def _pause(self, seconds: float, until: float) -> None:
        left = until - asyncio.get_running_loop().time()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), min(seconds, left))
        self._check(until)

    def _check(self, until: float) -> None:
        if self.stop.is_set():
            raise _Over("CLOSED")
        if asyncio.get_running_loop().time() >= until:
            raise _Over("EXPIRED")

    async def _once(self, adapter: Adapter, until: float) -> str:
        """Run the program until it ends by itself: answers how. Raises `_Over` for every other end."""
        data = Path(self.user.environment.get("HOME", "/nonexistent")) / ".quarterdeck-tunnels" / self.order.name
        owner, path = self.user.owner, self.user.environment.get("PATH") or ""
        python = await asyncio.to_thread(interpreter, None if owner is None else owner[0], path)
        argv = adapter.command(self.order.name, data, python=python)
        if shutil.which(argv[0], path=self.user.environment.get("PATH")) is None:
            raise _Over("FAILED", f"This machine has no program {argv[0]}: install it, or use another kind of tunnel.")
        try:
            process = await asyncio.create_subprocess_exec(
                *self.user.run_as((*bound_to_us(), *argv)),
                env={**self.user.environment, "TERM": "dumb"},
                cwd=self.order.path,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise _Over("FAILED", f"{argv[0]} cannot be started: {error.strerror or error}.") from None
        try:
            return await self._watch(adapter, process, until)
        except _Over as over:
            if over.state == "CLOSED":
                await self._say("CLOSING")
            raise
        finally:
            await _end(process, self.stop_seconds)
            if adapter.farewell:
                await self._part(adapter.command(self.order.name, data, adapter.farewell))

    async def _watch(self, adapter: Adapter, process: asyncio.subprocess.Process, until: float) -> str:
        loop = asyncio.get_running_loop()
        lines: asyncio.Queue[str | None] = asyncio.Queue(200)
        reading = asyncio.create_task(_read(process, lines))
        stopping = asyncio.create_task(self.stop.wait())
        waiting: asyncio.Task[str | None] = asyncio.create_task(lines.get())
        deadline, connected, last = loop.time() + self.order.start_seconds, False, "nothing"
        try:
            while True:
                end = until if connected else min(until, deadline)
                await asyncio.wait(
                    {waiting, stopping}, timeout=max(0.0, end - loop.time()), return_when=asyncio.FIRST_COMPLETED
                )
                self._check(until)
                if not waiting.done():
                    if connected or loop.time() < deadline:
                        continue
                    raise _Over("FAILED", f"It was not there in time. The program said last: {last}")
                line = waiting.result()
                if line is None:
                    return f"{last} ({await process.wait()})"
                waiting = asyncio.create_task(lines.get())
                last = line
                if not connected and (found := adapter.address.search(line)):
                    connected = True
                    await self._say("CONNECTED", url=found[0].rstrip(".,"))
                elif not connected and adapter.prompt.search(line):
                    deadline = loop.time() + self.login_seconds
                    await self._say("STARTING", auth_prompt=line)
        finally:
            for task in (reading, stopping, waiting):
                task.cancel()
            await asyncio.gather(reading, stopping, waiting, return_exceptions=True)

    async def _part(self, argv: tuple[str, ...]) -> None:
        with contextlib.suppress(OSError):
            process = await asyncio.create_subprocess_exec(
                *self.user.run_as((*bound_to_us(), *argv)),
                env={**self.user.environment, "TERM": "dumb"},
                cwd="/",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.stop_seconds)
            await _end(process, self.stop_seconds)


async def _read(process: asyncio.subprocess.Process, lines: asyncio.Queue[str | None]) -> None:
    """Lines of what the program prints, plain and bounded; None after the last."""
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    rest = ""
    while chunk := await process.stdout.read(8192):
        *whole, rest = re.split(r"[\r\n]+", rest[-LONGEST_LINE:] + chunk.decode(errors="replace"))
        for line in whole:
            plain = "".join(one for one in _ESCAPES.sub("", line) if one.isprintable()).strip()
            if plain:
                await lines.put(plain[:LONGEST_LINE])
    if plain := "".join(one for one in _ESCAPES.sub("", rest) if one.isprintable()).strip():
        await lines.put(plain[:LONGEST_LINE])
    await lines.put(None)


async def _end(process: asyncio.subprocess.Process, seconds: float) -> None:
    """Asked first, then ended with all that it started."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(process.wait()), seconds)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
