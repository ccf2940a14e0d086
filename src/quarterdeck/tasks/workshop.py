"""What a worker needs to run agent tasks: their machine, their worktrees, and the way of terminals to the server."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from quarterdeck.fleet.terminals.dialling import Place, SocketUplink
from quarterdeck.fleet.terminals.uplink import Uplink, UplinkEvent
from quarterdeck.fleet.workers.description import Agent
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.jobs import Canceled, JobContext, WorkerHandlers
from quarterdeck.tasks.orders import TERMINAL, TaskOrder, TunnelReport
from quarterdeck.tasks.running import handler
from quarterdeck.tasks.running.account import Account, account_of, take_over
from quarterdeck.tasks.running.machine import Machine, OpenUplink
from quarterdeck.tasks.running.worktrees import Worktree
from quarterdeck.tasks.tunnels import handler as tunnels
from quarterdeck.tasks.tunnels.orders import TOLD as TUNNEL_TOLD
from quarterdeck.tasks.workspaces import cleaning, places
from quarterdeck.tasks.workspaces.users import AgentUser
from quarterdeck.tasks.workspaces.workspaces import Workspaces

log = structlog.get_logger("quarterdeck.worker")
ROOT = "workspaces"
KEPT = ("PATH", "LANG")
"""What commands of a project are given of the worker's own environment."""


class Workshop:
    """One for each worker. `uplink` is the way of its terminals to the server: `Dialled`, or through memory."""

    def __init__(
        self, directory: Path, uplink: OpenUplink, *, root: Path | None = None, ssh_key: Path | None = None
    ) -> None:
        self.machine = Machine(
            directory, lambda _account: self.workspaces, uplink=uplink, listeners={TUNNEL_TOLD: self._tunnel}
        )
        self._tunnels: dict[tuple[int, int], asyncio.Queue[Any]] = {}
        self.workspaces = Workspaces(root or directory / ROOT, whose=self._whose, ssh_key=ssh_key)

    async def begin(self) -> frozenset[str]:
        """Before the first task: see `Machine.begin`. Answers the capabilities of the agents that there are."""
        self.workspaces.root.mkdir(parents=True, exist_ok=True, mode=0o711)
        found = await self.machine.begin()
        await asyncio.to_thread(take_over, self.machine.directory, self.workspaces.root)
        await asyncio.to_thread(places.tighten, self.workspaces.root)
        return found

    def register(self, handlers: WorkerHandlers) -> None:
        handler.register(handlers, self.machine)
        cleaning.register(handlers, self.workspaces)
        tunnels.register(handlers, self.workspaces)

    async def depart(self) -> None:
        """The machine was decommissioned: remove the worktrees whose work is delivered, and say where others are."""
        left = await self.workspaces.depart()
        for path, why in left.kept:
            log.warning("workspace_kept", path=str(path), reason=why)
        log.info("workspaces_left", removed=left.removed, kept=len(left.kept), root=str(self.workspaces.root))

    def agents(self) -> Sequence[Agent]:
        """The programs that were found when the worker started, and what a project describes itself."""
        found = [Agent(type=one.type, version=one.version, path=one.path) for one in self.machine.found.values()]
        return [*found, Agent(type="custom")]

    def projects(self) -> Sequence[str]:
        """The keys of the projects that there are base clones of, as their directories begin."""
        try:
            return sorted({one.name.rpartition("-")[0] for one in self.workspaces.root.iterdir() if one.is_dir()})
        except OSError:
            return []

    def _whose(self, organization: str, project_key: str) -> AgentUser:
        account = account_of(self.machine.configuration.run, self.machine.directory, organization, project_key)
        known = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment = {**known, "HOME": str(account.home)}
        if account.uid is None:
            return AgentUser(environment=environment)
        return AgentUser(changing_to(account), (account.uid, account.uid), environment)

    async def _tunnel(self, context: JobContext, order: TaskOrder, _worktree: Worktree, data: Any) -> None:
        """The first word about a tunnel carries it as long as the attempt runs; later ones are handed to it."""
        here = (context.job.id, context.job.fence)
        if (running := self._tunnels.get(here)) is not None:
            running.put_nowait(data)
            return
        told = self._tunnels[here] = asyncio.Queue()

        async def report(said: TunnelReport) -> None:
            with contextlib.suppress(Canceled):
                await context.record(TUNNEL_TOLD, said)

        try:
            async with tunnels.Beside(self._whose(order.organization, order.project_key), report) as tunnel:
                while True:
                    await tunnel.told(data)
                    data = await told.get()
        finally:
            del self._tunnels[here]


def changing_to(account: Account) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """How a command is run as an account's user: without its groups, without any capability."""
    numbers = (f"--reuid={account.uid}", f"--regid={account.uid}", "--clear-groups", "--no-new-privs")

    def run_as(argv: tuple[str, ...]) -> tuple[str, ...]:
        return ("setpriv", *numbers, "--inh-caps=-all", "--", *argv)

    return run_as


class Dialled:
    """Terminals that are dialled to the server: its address, and the worker's access token at the time."""

    def __init__(self, server: str, credential: Callable[[], str | None]) -> None:
        self._server, self._credential = server, credential

    async def __call__(self, context: JobContext, order: TaskOrder) -> Uplink:
        async def fresh() -> str:
            answer = await context.record(TERMINAL, {})
            if not isinstance(answer, str):  # the answer to a repeated question is kept by nobody
                raise Unavailable("No token for the terminal was given.", code="terminal_token_missing")
            return answer

        place = Place(
            server_url=self._server,
            task_id=order.task_id,
            credential=lambda: self._credential() or "",
            fresh_token=fresh,
            first_token=order.channel_token,
        )
        line = SocketUplink(place, order.columns, order.rows)
        await line.__aenter__()
        return Lasting(line, lambda: line.__aexit__(None, None, None))


class Lasting:
    """An `Uplink` that tells of the end of the terminal and of nothing after it: who has ended the terminal has not
    ended the attempt. `leave` is called when the program has ended.
    """

    def __init__(self, line: Uplink, leave: Callable[[], Awaitable[None]] | None = None) -> None:
        self._line, self._leave = line, leave

    def output(self, data: bytes) -> None:
        self._line.output(data)

    async def events(self) -> AsyncIterator[UplinkEvent]:
        async for event in self._line.events():
            yield event
        await asyncio.get_running_loop().create_future()

    async def close(self, exit_code: int | None) -> None:
        await self._line.close(exit_code)
        if self._leave is not None:
            await self._leave()
