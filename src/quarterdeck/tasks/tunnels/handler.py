"""Tunnels on a worker: those of a job, and those that an attempt carries beside its work."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.kernel.jobs import Canceled, JobContext, WorkerHandlers
from quarterdeck.tasks.orders import TunnelReport
from quarterdeck.tasks.tunnels.adapters import ADAPTERS, Adapter
from quarterdeck.tasks.tunnels.carrying import Carrier, Report
from quarterdeck.tasks.tunnels.orders import TOLD, TUNNEL, Told, TunnelOrder
from quarterdeck.tasks.workspaces.users import AgentUser
from quarterdeck.tasks.workspaces.workspaces import Workspaces


def register(handlers: WorkerHandlers, workspaces: Workspaces, adapters: Mapping[str, Adapter] | None = None) -> None:
    """Let a worker carry tunnels into its workspaces as jobs."""

    @handlers.register(TUNNEL, TunnelOrder)
    async def carry(context: JobContext, order: TunnelOrder) -> dict[str, str]:
        async def report(said: TunnelReport) -> None:
            # A job that is being ended takes no reports; its end says the rest.
            with contextlib.suppress(Canceled):
                await context.record(TOLD, said)

        workspaces.require(order.path, order.task_id)
        user = workspaces.user(order.organization, order.project_key)
        return {"state": await Carrier(order, user, report, context.canceled, adapters or ADAPTERS).run()}


class Beside:
    """The tunnel of a running attempt: at most one at a time. `user` is the agent's.

    async with Beside(user, report) as tunnel:
        await tunnel.told(data)  # for each `(TOLD, data)` of `context.told`
    """

    def __init__(self, user: AgentUser, report: Report, adapters: Mapping[str, Adapter] | None = None) -> None:
        self._user = user
        self._report = report
        self._adapters = adapters or ADAPTERS
        self._stop = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None
        self._carrier: Carrier | None = None

    async def __aenter__(self) -> Beside:  # noqa: PYI034 - nothing inherits it
        return self

    async def __aexit__(self, *_: object) -> None:
        """Whatever ends the attempt ends its tunnel."""
        await self._close()

    async def told(self, data: Any) -> None:
        """Start or stop, as the server says. A start that is said again changes nothing; one of another kind, or after
        an end that the server has heard of, takes the place of what there is.
        """
        said = msgspec.convert(data, Told)
        if said.action == "stop":
            carried = self._task is not None and not self._task.done()
            await self._close()
            if not carried:  # the server was waiting for the end of what had none here
                await self._report(TunnelReport(state="CLOSED", kind=""))
            return
        if said.order is None:
            return
        now = self._carrier
        if now is not None and self._task is not None and not self._task.done():
            if not now.over and now.order.kind == said.order.kind:
                return
            await self._close()
        self._stop = asyncio.Event()
        self._carrier = Carrier(said.order, self._user, self._report, self._stop, self._adapters)
        self._task = asyncio.create_task(self._carrier.run())

    async def _close(self) -> None:
        self._stop.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
