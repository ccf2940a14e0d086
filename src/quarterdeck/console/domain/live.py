"""What moves while a page is open: wake-ups of the bus for state, the store of lines for logs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from quarterdeck.broker.requests.finding import find as find_request
from quarterdeck.console.domain.waking import GATHER, WAKE, Pace, subjects_of
from quarterdeck.console.ports import Update
from quarterdeck.console.views.deployments import LineView
from quarterdeck.deploy.deployments.deployments import find as find_deployment
from quarterdeck.deploy.observation.runtime_logs import speaker
from quarterdeck.deploy.resources.resources import find as find_resource
from quarterdeck.identity import sessions
from quarterdeck.infra.specs.specs import find as find_spec
from quarterdeck.infra.work.reading import find as find_infra_job
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, Problem
from quarterdeck.kernel.logs import Gap, Line
from quarterdeck.kernel.principal import Principal
from quarterdeck.tasks.work.finding import find as find_task

CHECK, PAUSE = 5.0, 0.5
"""How often everything is looked at again that a topic needs, and how often at most what is known in memory."""
TASKS = "tasks:tasks.view"
INFRA_JOBS, INFRA_SPECS = "infra:jobs.view", "infra:specs.view"
NEEDED = {
    "home": None,  # each part of it asks for itself
    "fleet": "deploy:servers.list",
    "jobs": "deploy:operator-work.list",
    "tasks": TASKS,
    "task": TASKS,
    "task-events": TASKS,
    "secrets": None,  # requests are shown to those whom they concern
    "secret-request": None,
    "infra": INFRA_SPECS,
    "infra-jobs": INFRA_JOBS,
    "infra-spec": INFRA_SPECS,
    "infra-job": INFRA_JOBS,
    "infra-plan": INFRA_SPECS,
    "project": "deploy:projects.show",
    "resource": "deploy:resources.show",
    "deployment": "deploy:deployments.show",
}
LOGS: dict[str, tuple[str, Callable[[Tx, str], object]]] = {
    "deployment": ("deploy:deployments.logs", find_deployment),
    "runtime": ("deploy:resources.runtime-logs", find_resource),
    "infra-job": (INFRA_JOBS, find_infra_job),
    "task": (TASKS, lambda _tx, _ref: None),  # `_find` looks for it, because its project decides
}
LEVELS = {"debug": "debug", "info": "info", "warn": "warn", "warning": "warn", "error": "error"}


def line_views(lines: list[Line], phase: str | None = None) -> tuple[LineView, ...]:
    """Lines for the page; the word of a phase, or of the version that speaks, stands on its first line only."""
    shown = []
    for line in lines:
        change = line.phase if line.phase != phase else None
        if change and speaker(line):
            change = change.partition(" ")[0]
        phase = line.phase
        shown.append(LineView(line.number, line.time, line.message, LEVELS.get(line.level, "info"), change))
    return tuple(shown)


class Live:
    """Follows topics for one page at a time."""

    instance: Any

    async def admitted(self, who: Principal, topics: tuple[str, ...]) -> None:
        """Raises `Forbidden` or `NotFound` for a topic that the caller may not see."""
        await self.instance.access.ready(self.instance.db)
        for topic in topics:
            self._require(who, topic)
            await self._find(topic)

    async def follow(self, who: Principal, topics: tuple[str, ...], after: int) -> AsyncIterator[Update]:
        """Updates until the session ends, or the caller may not see one of the topics any more. Raises as `admitted`
        does.
        """
        await self.admitted(who, topics)
        states = tuple(topic for topic in topics if not topic.startswith("log:"))
        streams = tuple(topic.removeprefix("log:") for topic in topics if topic.startswith("log:"))
        waiting: asyncio.Queue[Update | None] = asyncio.Queue(maxsize=64)
        tasks = [asyncio.create_task(self._until_dismissed(who, topics, waiting))]
        if states:
            tasks.append(asyncio.create_task(self._states(who, states, waiting)))
        tasks += [asyncio.create_task(self._lines(stream, after, waiting)) for stream in streams]
        try:
            while (update := await waiting.get()) is not None:
                yield update
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    def _require(self, who: Principal, topic: str) -> None:
        """From memory: the caller has made access ready."""
        kind, _, name = topic.partition(":")
        if kind == "log":
            owner = name.partition(":")[0]
            if owner not in LOGS:
                raise Forbidden(f"The log {name[:60]} is not shown here.", hint="Look at the page of its owner.")
            self.instance.access.require(who, LOGS[owner][0])
        elif permission := NEEDED[kind]:
            self.instance.access.require(who, permission)

    async def _find(self, topic: str) -> None:
        kind, owner, ref = (*topic.split(":", 2), "", "")[:3]
        if kind in {"task", "task-events"} or (kind, owner) == ("log", "task"):
            text = ref or owner
            number = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
            await self.instance.db.read(find_task, self.instance.access, number)
        elif kind in {"infra-job", "infra-plan"}:
            await self.instance.db.read(find_infra_job, owner)
        elif kind == "secret-request":
            await self.instance.db.read(find_request, self.instance.access, owner)
        elif kind == "infra-spec":
            await self.instance.db.read(find_spec, owner)
        elif kind == "log":
            await self.instance.db.read(LOGS[owner][1], ref)

    async def _until_dismissed(
        self, who: Principal, topics: tuple[str, ...], waiting: asyncio.Queue[Update | None]
    ) -> None:
        """Ends the updates when the caller may not have them any more, and when that cannot be told.

        Every change of access commits with an audit event, whose wake-up costs a look into memory here; the session
        and what is followed are read again every few seconds.
        """
        loop = asyncio.get_running_loop()
        looked = loop.time()
        try:
            with self.instance.bus.subscribe("audit") as inbox:
                while True:
                    if await inbox.get(max(looked + CHECK - loop.time(), 0)) is not None:
                        await asyncio.sleep(PAUSE)
                        inbox.drain()
                    if loop.time() < looked + CHECK:
                        await self.instance.access.ready(self.instance.db)
                        for topic in topics:
                            self._require(who, topic)
                        continue
                    looked = loop.time()
                    if await self.instance.db.read(sessions.current) is None:
                        return
                    await self.admitted(who, topics)
        except Problem:
            return
        finally:
            while not waiting.empty():
                waiting.get_nowait()
            waiting.put_nowait(None)

    async def _states(self, who: Principal, topics: tuple[str, ...], waiting: asyncio.Queue[Update | None]) -> None:
        """A wake-up renews what it concerns; without one everything is looked at again every few seconds."""
        loop, db = asyncio.get_running_loop(), self.instance.db
        pace = Pace(who.organization_id, topics, loop.time())
        with self.instance.bus.subscribe(*WAKE) as inbox:
            pace.learn(await db.read(subjects_of, topics))
            while True:
                first = await inbox.get(max(pace.soonest - loop.time(), 0))
                if first is not None:
                    await asyncio.sleep(GATHER)
                    messages = [first, *inbox.drain()]
                    if strangers := pace.strangers(messages):
                        pace.learn(await db.read(subjects_of, topics), strangers)
                    for message in messages:
                        pace.heard(message)
                if inbox.missed:
                    inbox.missed = 0
                    pace.missed()
                for topic in pace.ripe(loop.time()):
                    await waiting.put(Update(topic))

    async def _lines(self, stream: str, after: int, waiting: asyncio.Queue[Update | None]) -> None:
        topic = f"log:{stream}"
        before = await self.instance.logs.read(stream, after - 1, 1) if after else []
        phase = before[0].phase if before else None
        async for item in self.instance.logs.follow(stream, after):
            if isinstance(item, Gap):
                await waiting.put(Update(topic, gap=True))
                continue
            lines = list(item.lines)
            await waiting.put(Update(topic, lines=line_views(lines, phase)))
            phase = lines[-1].phase
        await waiting.put(Update(topic, ended=True))
