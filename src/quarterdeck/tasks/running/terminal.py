"""The terminal of an attempt: one program after another runs in it, people watch it and may hold it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from functools import partial

from quarterdeck.fleet.terminals.cells import Written
from quarterdeck.fleet.terminals.turns import PART, turns
from quarterdeck.fleet.terminals.uplink import Held, Input, Released, Resize, Signal, Uplink
from quarterdeck.kernel.jobs import JobContext
from quarterdeck.tasks.running.program import Program, Start, start
from quarterdeck.tasks.running.screen import Reader, joined
from quarterdeck.tasks.running.transcript import Transcript

DRAIN_BYTES = 256 << 10
DRAIN_SECONDS = 10.0
"""How long a server that does not catch up holds a program back; beyond it the oldest lines are dropped."""
CARRY = 4
"""Rows that left the screen and are still looked at, because a line of ours may be wrapped over its edge."""
SIGNALS = {one.name: one for one in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGKILL)}
"""What a person may send to the program."""
LOOK_SECONDS = 0.05
MOST_PASSED = 2000
"""Output is looked at so often, or after so many rows: a flood is not rendered for every few of its bytes."""
MOST_TAKEN = 500
"""Rows that left the screen and are dealt with in one turn: a few bytes can send away thousands."""
SMALLEST, WIDEST, TALLEST = 2, 500, 300
Seen = Callable[[str], None]
PASTED, RESET = b"\x1b[201~", b"\x1bc"
SUBMITS, SUBMIT_SECONDS = 3, 3.0
"""How often a prompt that still stands in its field is submitted again, and after how long each time."""
LAST_CHARACTERS = 12
"""Of what was typed, by which it is known again."""


class Terminal:
    """`stirred` is called whenever something happened: output, the program's end, a person's taking or letting go."""

    def __init__(
        self,
        context: JobContext,
        uplink: Uplink,
        stirred: Callable[[], None],
        *,
        columns: int = 120,
        rows: int = 40,
        log_bytes: int = 16 << 20,
    ) -> None:
        self._context, self._uplink, self._stirred = context, uplink, stirred
        self.screen = Reader(_within(columns, WIDEST), _within(rows, TALLEST))
        self.held = False
        """A person holds it."""
        self.program: Program | None = None
        self.last: int | None = None
        """The exit status of the program before."""
        self.quiet_since = 0.0
        """Loop time of the last output."""
        self.spoken = 0
        """Bytes of output of the program that runs."""
        self.watch: Seen | None = None
        """Is given all text that was shown since the last time, whatever left the screen meanwhile."""
        loop = asyncio.get_running_loop()
        self._now = loop.time
        self._transcript = Transcript(
            lambda lines: context.log(lines, "pty", source="agent"), self.say, loop.time, log_bytes
        )
        self._turns = turns()
        self._scrolled: list[Written] = []
        """Rows that left the screen and are to be dealt with."""
        self._carried: list[Written] = []
        self._passed: list[Written] = []
        self._looking: asyncio.TimerHandle | None = None
        self._drained = 0
        self._pump: asyncio.Task[None] | None = None
        self._people = asyncio.create_task(self._hear_people(), name="terminal-input")
        self._typing = asyncio.Lock()
        self._submitting: asyncio.Task[None] | None = None

    def say(self, text: str, level: str = "info") -> None:
        """A line of the runner's own in the log."""
        self._context.log([text], "system", source="worker", level=level)

    @property
    def running(self) -> bool:
        """Raises what reading its output has failed with, if it did: nobody would see anything any more."""
        if self._pump is not None and self._pump.done() and not self._pump.cancelled():
            self._pump.result()
        return self.program is not None and not self.program.exited.is_set()

    @property
    def status(self) -> int | None:
        return None if self.program is None else self.program.status

    def lines(self) -> list[str]:
        """What is to be seen, wrapped lines joined."""
        return joined(self.screen.visible())

    @property
    def line(self) -> str:
        """The row that the cursor is in."""
        return self.screen.row(self.screen.cursor[1])

    async def open(self, what: Start) -> Program:
        """Start a program in it. The one before has to have ended, and what it left on the screen, and the modes that
        it left the terminal in, say nothing of this one. Raises `NotStarted`.
        """
        if self._pump is not None:
            await self._take(RESET)
        self.screen.begin()
        program = await start(what)
        self.program, self.spoken, self.quiet_since = program, 0, self._now()
        program.resize(self.screen.columns, self.screen.rows)
        self._pump = asyncio.create_task(self._read(program), name="terminal-output")
        exited = asyncio.create_task(program.exited.wait())
        exited.add_done_callback(lambda _: self._stirred())
        return program

    async def _read(self, program: Program) -> None:
        while data := await program.read():
            await self._take(data)
            for reply in self.screen.take_replies():
                await program.write(reply)
            if self._transcript.bytes - self._drained > DRAIN_BYTES:
                self._drained = self._transcript.bytes
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_SECONDS):
                        await self._context.drain()
            await asyncio.sleep(0)  # the worker's other work has its turn between any two reads

    async def _take(self, data: bytes) -> None:
        """In turns, whatever a program writes: it waits, as all terminals of this process do, while others work."""
        self.spoken += len(data)
        self.quiet_since = self._now()
        for place in range(0, len(data), PART):
            await self._turns.do(partial(self._show, data[place : place + PART]))
            while self._scrolled:
                await self._turns.do(self._pass)

    def _show(self, data: bytes) -> None:
        self._uplink.output(data)
        self.screen.feed(data)
        self._scrolled += self.screen.take_scrolled()
        self._pass()

    def _pass(self) -> None:
        """Deal with rows that left the screen; with what stands on it once there are no more of them."""
        taken = self._scrolled[:MOST_TAKEN]
        del self._scrolled[:MOST_TAKEN]
        if self._scrolled:
            self._transcript.left(taken)
        else:
            self._transcript.took(self.screen, taken)
        self._passed += taken
        if len(self._passed) > MOST_PASSED:
            self._look()
        elif self._looking is None:
            loop = asyncio.get_running_loop()
            self._looking = loop.call_later(LOOK_SECONDS, self._turns.at_once, self._look)

    def _catch_up(self) -> None:
        """What is said from here on comes behind everything that was shown."""
        while self._scrolled:
            self._pass()

    def _look(self) -> None:
        """Show what was written since the last look to whoever watches."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if self.watch is not None:
            # What is on the screen goes on from the last row that left, and that one may not be dealt with yet.
            visible = [] if self._scrolled else self.screen.visible()
            self.watch("\n".join(joined([*self._carried, *self._passed, *visible])))
        self._carried = [*self._carried, *self._passed][-CARRY:]
        self._passed = []
        self._stirred()

    async def _hear_people(self) -> None:
        async for event in self._uplink.events():
            match event:
                case Input(data) if self.program is not None:
                    await self.program.write(data)
                case Resize(columns, rows):
                    columns, rows = _within(columns, WIDEST), _within(rows, TALLEST)
                    self.screen.resize(columns, rows)
                    if self.program is not None:
                        self.program.resize(columns, rows)
                case Signal(name) if self.program is not None and name in SIGNALS:
                    self.program.signal(SIGNALS[name])
                case Held(by):
                    self._hold(f"{by} holds the terminal.", held=True)
                case Released() if self.held:
                    self._hold("The terminal was given back.", held=False)
        if self.held:
            self._hold("The terminal was given back.", held=False)

    def _hold(self, told: str, *, held: bool) -> None:
        self.held = held
        self.say(told)
        self._stirred()

    def mark(self) -> None:
        """What was shown until now is not looked at again by `watch`, but for what is still on the screen."""
        self._catch_up()
        self._look()
        self._carried = []
        self._transcript.flush(self.screen)

    async def type(self, text: bytes, submit: bytes, settle: float) -> None:
        """Type text, let the program take it in, and submit it."""
        if self.program is None:
            return
        async with self._typing:
            before = self.spoken
            await self.program.write(text)
            await self._settled(before, settle)
            await self.program.write(submit)
            if self._submitting is not None:
                self._submitting.cancel()
            words = text.removesuffix(PASTED).decode(errors="replace").split()
            if text.endswith(PASTED) and words:
                end = words[-1][-LAST_CHARACTERS:]
                self._submitting = asyncio.create_task(self._submitted(end, submit), name="terminal-submit")

    async def _submitted(self, end: str, submit: bytes) -> None:
        """See to it that what was pasted does not stay where the cursor is: a program that was still coming up, or had
        a dialog to show first, has taken the key for something else.
        """
        for _ in range(SUBMITS):
            await asyncio.sleep(SUBMIT_SECONDS)
            if not self.running or self.held or self.program is None:
                return
            if self.screen.before_cursor().endswith(end):
                self.say("What was typed still stands there: submitting it again.")
                await self.program.write(submit)

    async def _settled(self, before: int, settle: float) -> None:
        """Until the program has drawn what was pasted and is still for `settle` seconds, six times that at most."""
        until = self._now() + settle * 6
        while self._now() < until and self.running:
            still = self._now() - self.quiet_since
            if self.spoken > before and still >= settle:
                return
            await asyncio.sleep(min(settle, 0.05))

    async def stop(self, seconds: float, *, gently: bool = False) -> None:
        """End the program and all that it started: interrupted, asked, killed, within `seconds`."""
        program = self.program
        if program is None:
            return
        ways = (signal.SIGTERM,) if gently else (signal.SIGINT, signal.SIGTERM)
        for number in ways if seconds else ():
            if program.exited.is_set():
                break
            program.signal(number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds / 2):
                    await program.exited.wait()
        await self.finish()

    async def finish(self) -> None:
        """End what is left of the program, take in its last output, and let go of it."""
        program, pump = self.program, self._pump
        if program is None:
            return
        if self._submitting is not None:
            self._submitting.cancel()
        await program.end()
        if pump is not None:
            done, _ = await asyncio.wait({pump}, timeout=5)
            if not done:
                pump.cancel()
        program.close()
        if program.left:
            self.say(f"{program.left} processes that the program left running were ended.", "warn")
        self._catch_up()
        self._look()
        self._transcript.flush(self.screen)
        self.program = None
        self.last = program.status

    async def close(self) -> None:
        """Nothing runs in it any more."""
        await self.finish()
        self._people.cancel()
        await asyncio.gather(self._people, return_exceptions=True)  # a lost viewer is no failure of the task
        await self._uplink.close(self.last)


def _within(size: int, most: int) -> int:
    return max(SMALLEST, min(size, most))
