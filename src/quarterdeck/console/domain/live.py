"""What moves while a page is open: wake-ups of the bus for state, the store of lines for logs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import select

from quarterdeck.console.ports import Update
from quarterdeck.console.views.deployments import LineView
from quarterdeck.deploy.deployments.deployments import find as find_deployment
from quarterdeck.deploy.observation.runtime_logs import speaker
from quarterdeck.deploy.resources.resources import find as find_resource
from quarterdeck.identity.model import UserSession
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.logs import Gap, Line
from quarterdeck.kernel.principal import Principal

WAKE = ("events", "jobs")
POLL, REST = 10.0, 0.25
NEEDED = {
    "home": None,
    "fleet": "deploy:servers.list",
    "jobs": "deploy:operator-work.list",
    "project": "deploy:projects.show",
    "resource": "deploy:resources.show",
    "deployment": "deploy:deployments.show",
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

    async def follow(self, who: Principal, topics: tuple[str, ...], after: int) -> AsyncIterator[Update]:
        """Updates until the session ends. Raises `Forbidden` or `NotFound` for a topic that the caller may not see."""
        for topic in topics:
            await self._check(who, topic)
        states = tuple(topic for topic in topics if not topic.startswith("log:"))
        streams = tuple(topic.removeprefix("log:") for topic in topics if topic.startswith("log:"))
        waiting: asyncio.Queue[Update | None] = asyncio.Queue(maxsize=64)
        tasks = [asyncio.create_task(self._states(who, states, waiting))]
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

    async def _check(self, who: Principal, topic: str) -> None:
        access, db = self.instance.access, self.instance.db
        await access.ready(db)
        kind, _, name = topic.partition(":")
        if kind != "log":
            if permission := NEEDED[kind]:
                access.require(who, permission)
            return
        owner, _, ref = name.partition(":")
        if owner == "deployment":
            access.require(who, "deploy:deployments.logs")
            await db.read(find_deployment, ref)
        elif owner == "runtime":
            access.require(who, "deploy:resources.runtime-logs")
            await db.read(find_resource, ref)
        else:
            raise Forbidden(f"The log {name[:60]} is not shown here.", hint="Look at the page of its owner.")

    async def _states(self, who: Principal, topics: tuple[str, ...], waiting: asyncio.Queue[Update | None]) -> None:
        """A wake-up renews every state topic; without one they are looked at again every few seconds."""
        with self.instance.bus.subscribe(*WAKE) as inbox:
            while True:
                await inbox.get(POLL)
                inbox.drain()
                if not await self.instance.db.read(_session_lives, who.credential):
                    await waiting.put(None)
                    return
                for topic in topics:
                    await waiting.put(Update(topic))
                await asyncio.sleep(REST)

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


def _session_lives(tx: Tx, uid: str | None) -> bool:
    """Whether the session that opened the stream is still good; other credentials end with their request."""
    if uid is None:
        return False
    session = tx.first(select(UserSession).where(UserSession.uid == uid))
    return session is not None and session.revoked_at is None and session.expires_at > tx.now
