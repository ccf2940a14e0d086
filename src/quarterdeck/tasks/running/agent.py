"""An agent program in the terminal of an attempt: started or resumed, made ready, typed to, ended."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.kernel.faults import point
from quarterdeck.kernel.jobs import JobContext
from quarterdeck.tasks.agents.adapter import Adapter, Sign
from quarterdeck.tasks.agents.configuration import Run
from quarterdeck.tasks.agents.limits import seconds_until
from quarterdeck.tasks.agents.probing import locate
from quarterdeck.tasks.orders import AgentReport, TaskOrder
from quarterdeck.tasks.running import templates
from quarterdeck.tasks.running.account import Account
from quarterdeck.tasks.running.calls import HookSocket
from quarterdeck.tasks.running.ears import Ears
from quarterdeck.tasks.running.environment import environment
from quarterdeck.tasks.running.failures import failed, limited
from quarterdeck.tasks.running.machine import Machine
from quarterdeck.tasks.running.markers import bare
from quarterdeck.tasks.running.program import NotStarted, Start
from quarterdeck.tasks.running.terminal import Terminal

PLACEHOLDER = re.compile(r"\{(session|prompt|settings|notify)\}")
STILL = 0.5
"""Seconds without output after which a program that shows nothing of its own takes input."""
LOOK_EVERY = 0.1


@dataclass(frozen=True)
class Place:
    """Where and as whom the programs of an attempt run."""

    worktree: Path
    account: Account
    run: Run
    record: Path
    marker: str

    def start(self, argv: list[str], environment: Mapping[str, str], columns: int, rows: int) -> Start:
        return Start(
            argv, self.worktree, environment, self.marker, self.record, self.account.uid, self.run.memory,
            self.run.cpus, self.run.processes, columns, rows,
        )  # fmt: skip


class Agent:
    """One agent program. It is started when it is first needed, and again when it ended and a stage is tried anew."""

    def __init__(
        self,
        machine: Machine,
        context: JobContext,
        order: TaskOrder,
        adapter: Adapter,
        place: Place,
        terminal: Terminal,
        ears: Ears,
        hook: HookSocket,
        resume: str | None,
        kind: str,
    ) -> None:
        self.adapter = adapter
        self.kind = kind
        self.session = resume
        self._resumes = resume is not None
        self._machine, self._context, self._order, self._place = machine, context, order, place
        self._terminal, self._ears, self._hook = terminal, ears, hook
        self._path = machine.environment.get("PATH") or ""
        self._standing: dict[Sign, float] = {}
        self._looked_at = 0.0
        self._at_work = False
        self._program = self._located()

    def _located(self) -> str:
        own = f"{self._place.account.home}/.local/bin:{self._path}"
        found = locate(self.adapter, own)
        if found is None:
            raise failed(
                "agent_missing",
                f"This machine has no program {' or '.join(self.adapter.programs)}.",
                f"Install the agent {self.adapter.type} on it, where its PATH finds it, and start the worker again.",
            )
        return found

    # Starting.

    async def ensure(self) -> None:
        """Have it running and ready. Raises `agent_missing`, `agent_auth`, `rate_limited` or `agent_exited`."""
        if self._terminal.running:
            return
        await self._terminal.finish()
        if self._resumes and self.session is not None and self.adapter.resume is not None:
            await self._start(self.adapter.resume)
            if await self._ready():
                return
            self._terminal.say(f"The session {self.session} could not be resumed: a new one begins.", "warn")
            await self._terminal.finish()
            self.session = None
        if self.adapter.names_session:
            self.session = self._machine.ids.uid()
        await self._start(self.adapter.argv)
        if not await self._ready():
            raise self.ended("before it took any input")

    async def once(self, prompt: str) -> None:
        """Start it for one prompt, as its argument."""
        await self._terminal.finish()
        if self.adapter.names_session:
            self.session = self._machine.ids.uid()
        await self._start(self.adapter.argv, templates.typed(prompt))

    async def _start(self, argv: tuple[str, ...], prompt: str = "") -> None:
        values = {
            "session": self.session or "",
            "prompt": prompt,
            "settings": self._hook.claude_settings(self._path) if self.adapter.hook == "claude-settings" else "",
            "notify": self._hook.codex_notify(self._path),
        }
        filled = [PLACEHOLDER.sub(lambda found: values[found.group(1)], one) for one in argv]
        screen = self._terminal.screen
        given = environment(
            self._machine.environment, self._place.account, self.adapter, self._order.environment,
            self._order.developer, self._hook.environment(self._path),
        )  # fmt: skip
        self._ears.calls.clear()
        self._standing.clear()
        self._at_work = bool(prompt)
        what = self._place.start([self._program, *filled[1:]], given, screen.columns, screen.rows)
        point("task.agent.start")
        try:
            program = await self._terminal.open(what)
        except NotStarted as error:
            raise failed(
                "agent_missing" if error.step == "program" else "agent_exited",
                f"The agent {self.adapter.type} could not be started ({error.step}: {error.message}).",
                "Check that its user may run it and enter the worktree.",
            ) from None
        self._terminal.say(f"Started the agent {self.adapter.type} ({Path(self._program).name}).")
        found = self._machine.found.get(self.adapter.type)
        version = found.version if found is not None else None
        self._version, self._pid = version, program.pid
        point("task.agent.started")
        await self.report()
        point("task.agent.told")

    async def report(self) -> None:
        """Tell the server what runs, and by what it is resumed."""
        await self._context.record(
            "agent",
            AgentReport(type=self.adapter.type, version=self._version, session=self.session, pid=self._pid),
        )

    async def knows(self, session: str | None) -> None:
        """The program's hook told its session; an id of our own is what it was told."""
        if session and session != self.session and not self.adapter.names_session:
            self.session = session
            await self.report()

    async def _ready(self) -> bool:
        """Whether it takes input; False when it ended before."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.adapter.ready_seconds
        while loop.time() < until:
            await self.look()
            if not self._terminal.running:
                await self._last_look()
                return False
            if self._takes_input():
                # What it asks for first may have been drawn with that since the last look: nothing is typed into it.
                await self.look(confirm=self.adapter.confirm)
                if not self._standing:
                    self._resumes = True
                    return True
            await self._ears.wait(LOOK_EVERY)
        if self._terminal.screen.bracketed_paste:
            self._terminal.say(f"The agent {self.adapter.type} looks different than expected; going on.", "warn")
            self._resumes = True
            return True
        await self._terminal.stop(self._place.run.stop_seconds)
        raise failed(
            "agent_exited",
            f"The agent {self.adapter.type} took no input within {self.adapter.ready_seconds:g} seconds.",
            "Look at its terminal; describe how it shows that it is ready in the worker's agents.toml.",
        )

    def _takes_input(self) -> bool:
        if self.uneasy:
            return False
        if self.adapter.ready is not None:
            return any(
                self.adapter.ready.search(line) or self.adapter.ready.search(bare(line))
                for line in (one.strip(" │┃|") for one in self._terminal.lines())
            )
        now = asyncio.get_running_loop().time()
        return self._terminal.spoken > 0 and now - self._terminal.quiet_since >= STILL

    # What it says about itself.

    async def look(self, *, confirm: float | None = None) -> None:
        """Read the screen for signs of the program itself. A dialog with known keys is answered. Raises `agent_auth` or
        `rate_limited` for one that has stood there for a while; once it was given work, only while it is still: who
        writes about limits is at work, who is kept by one is not.
        """
        now = asyncio.get_running_loop().time()
        if confirm is None and now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        wait = self.adapter.confirm if confirm is None else confirm
        lines = [bare(line) for line in self._terminal.lines()]
        seen: dict[Sign, re.Match[str]] = {}
        for sign in self.adapter.signs:
            found = next((match for line in lines if line and (match := sign.pattern.match(line))), None)
            if found is not None:
                seen[sign] = found
                if sign.keys is not None:  # a dialog that is answered hides what else it could mean
                    break
        self._standing = {sign: self._standing.get(sign, now) for sign in seen}
        for sign, since in list(self._standing.items()):
            if now - since < (min(wait, 0.5) if sign.keys is not None else wait):
                continue
            if sign.keys is None:
                if self._at_work and now - self._terminal.quiet_since < wait:
                    continue
                raise self._meaning(sign, seen[sign])
            if not self._terminal.held and self._terminal.program is not None:
                self._terminal.say("Answered a dialog of the agent program.")
                self._standing[sign] = now + 5.0
                await self._terminal.program.write(sign.keys.encode())

    @property
    def uneasy(self) -> bool:
        """Something on the screen may be such a sign: time will tell, or it was not looked at yet."""
        return bool(self._standing) or self._terminal.quiet_since >= self._looked_at

    async def _last_look(self) -> None:
        """It has ended: what still stands on its screen may say why."""
        await self._terminal.finish()
        await self.look(confirm=0.0)

    def _meaning(self, sign: Sign, found: re.Match[str]) -> Exception:
        if sign.code == "rate_limited":
            told = found.groupdict().get("reset")
            seconds = seconds_until(told, self._machine.clock.now().astimezone())
            return limited(f"The agent {self.adapter.type} has reached a limit of its provider.", seconds)
        account = self._place.account
        return failed(
            sign.code or "agent_auth",
            f"The agent {self.adapter.type} is not logged in on this machine, or waits for a dialog of its first run.",
            f"Log in and answer its dialogs as the user {account.name} with the home {account.home}, or give the "
            "worker its key; agents.toml can answer a dialog.",
        )

    def ended(self, when: str) -> Exception:
        """What its exit is, when nobody asked for it."""
        status = self._terminal.status if self._terminal.program is not None else self._terminal.last
        how = "ended" if status is None else f"was killed by signal {-status}" if status < 0 else f"ended with {status}"
        return failed(
            "agent_exited",
            f"The agent {self.adapter.type} {how} {when}.",
            "Look at the end of its terminal, then retry the task from this stage.",
        )

    async def explain(self, when: str) -> Exception:
        """As `ended`, or what its last screen says of a login or a limit."""
        try:
            await self._last_look()
        except Exception as told:  # noqa: BLE001 - it is the answer
            return told
        return self.ended(when)

    # Typing.

    async def type(self, text: str) -> None:
        """Type a prompt and submit it."""
        self._at_work = True
        point("task.agent.type")
        bracketed = self.adapter.paste == "bracketed" and self._terminal.screen.bracketed_paste
        await self._terminal.type(
            templates.pasted(text, bracketed=bracketed), self.adapter.submit.encode(), self.adapter.settle
        )
        point("task.agent.typed")

    async def leave(self) -> None:
        """Let it end by itself, and see to it that it does."""
        if self.adapter.exit_keys and self._terminal.running and self._terminal.program is not None:
            await self._terminal.program.write(self.adapter.exit_keys.encode())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._terminal.program.exited.wait()
        await self._terminal.stop(self._place.run.stop_seconds, gently=True)
