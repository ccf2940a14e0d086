"""Watches every runtime of one machine: its state every few seconds, its log as it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from quarterdeck.deploy.deployments.following import CHANGED
from quarterdeck.deploy.execution.logs import lines
from quarterdeck.deploy.observation import reviving
from quarterdeck.deploy.observation.observations import Seen, Served, keep, secret_values, served_here
from quarterdeck.deploy.observation.parts import part_seen, parts, worst
from quarterdeck.deploy.observation.places import Place
from quarterdeck.deploy.observation.runtime_logs import PAGE, spoken_by
from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.kernel.clock import SystemClock
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.logs import Line, Logs
from quarterdeck.kernel.logs.line import Channel
from quarterdeck.kernel.logs.store import ROW_BYTES

log = structlog.get_logger("quarterdeck.observation")
PERIOD = 3.0
REVIVE_SECONDS = 60.0
LOG_BYTES = 64 << 20
LOG_BYTES_PER_SECOND = 4 << 20
"""What is taken of one application: who writes more is read later, or loses the oldest of it at its source."""
SETTLED = frozenset({"running", "stopped"})
UNCHANGED_SECONDS = 60.0  # an unchanged state is stored again after this, so that its time stays fresh

ELSEWHERE = Seen(
    "unknown",
    "It is not on this machine: another server has deployed it on its own. Deploy it anew to have it here.",
)
"""What is known of an application of the machine of a server that worked before this one."""
PROCESS_STATES = {
    "running": "running",
    "restarting": "restarting",
    "stopping": "running",
    "stopped": "stopped",
    "exited": "exited",
    "gave-up": "exited",
    "lost": "exited",
}


class Observer:
    """One for each machine: `place` is where it looks, `served` reads what should answer there. It never changes what
    it watches.
    """

    def __init__(
        self,
        db: Database,
        logs: Logs,
        place: Place,
        served: Callable[[Tx], list[Served]] = served_here,
        *,
        log_bytes: int = LOG_BYTES,
    ) -> None:
        self._db = db
        self._logs = logs
        self._log_bytes = log_bytes
        self._place = place
        self._served = served
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._last: dict[int, tuple[Seen, float]] = {}
        self._revived: dict[int, float] = {}
        self._followed: dict[tuple[int, str | None], str] = {}
        self._here: set[int] = set()
        """Deployments that were found to be on this machine; what happens to them from then on is its business."""
        self.settled = False
        """Whether the last look found nothing new, and everything as it may stay."""
        self.only_containers = False
        """Whether it found nothing but containers, and what needs no process: those whose engine tells of them."""

    async def run(self) -> None:
        """Watch until canceled."""
        self._last.clear()  # meanwhile somebody else may have stored what it saw
        try:
            await self._watch()
        finally:
            await self.end()

    async def end(self) -> None:
        """Stop following logs, and close what was opened to look."""
        for task in self._followers.values():
            task.cancel()
        await asyncio.gather(*self._followers.values(), return_exceptions=True)
        self._followers.clear()
        await self._place.leave_engine()

    async def _watch(self) -> None:
        with self._db.bus.subscribe(CHANGED) as inbox:
            while True:
                inbox.drain()
                try:
                    await self.look()
                except Problem as problem:
                    log.warning("runtime_observation_failed", code=problem.code)
                except Exception:
                    log.exception("runtime_observation_failed")
                await inbox.get(PERIOD)

    async def look(self) -> None:
        """Observe every runtime once, store what changed, and follow the logs of all."""
        served = await self._db.read(self._served)
        seen = await self._states(served)
        loop = asyncio.get_running_loop()
        earlier = {
            one.resource_id: self._last[one.deployment_id][0] for one in served if one.deployment_id in self._last
        }
        news = []
        self.settled = all(seen[one.resource_id].lifecycle in SETTLED for one in served)
        self.only_containers = all(one.runtime.get("kind") in {"container", "static"} for one in served)
        for one in served:
            state = seen[one.resource_id]
            before = self._last.get(one.deployment_id)
            if before is None or before[0] != state:
                self.settled = False  # it is looked at once more in a moment
            if before is None or before[0] != state or loop.time() - before[1] > UNCHANGED_SECONDS:
                news.append((one, state))
                self._last[one.deployment_id] = (state, loop.time())
        if news:
            await self._db.write(keep, news)
        self._forget(served)
        here = [one for one in served if one.deployment_id in self._here]
        self._follow(here)
        await self._revive(here, seen, earlier)

    def _forget(self, served: list[Served]) -> None:
        """Keep nothing in memory of what does not serve any more."""
        deployments, resources = {one.deployment_id for one in served}, {one.resource_id for one in served}
        self._last = {key: value for key, value in self._last.items() if key in deployments}
        self._revived = {key: value for key, value in self._revived.items() if key in deployments}
        self._followed = {key: value for key, value in self._followed.items() if key[0] in resources}
        self._here &= deployments

    async def _revive(self, served: list[Served], seen: dict[int, Seen], earlier: dict[int, Seen]) -> None:
        """Ask for what should run and is gone; for what cannot be started only now and then."""
        now = asyncio.get_running_loop().time()
        lost = await reviving.gone(served, seen, earlier, self._place.processes)
        due = [one for one in lost if now - self._revived.get(one.deployment_id, -REVIVE_SECONDS) >= REVIVE_SECONDS]
        if due:
            self._revived |= {one.deployment_id: now for one in due}
            log.info("runtimes_asked_for_again", count=await self._db.write(reviving.enqueue, due))

    async def _states(self, served: list[Served]) -> dict[int, Seen]:
        listed: dict[str, containers.Listed] | None = None
        restarts: dict[int, int] = {}
        if any(one.runtime.get("kind") == "container" for one in served):
            engine = await self._place.engine()
            if engine is not None:
                try:
                    found = await containers.listed(engine, {"quarterdeck.managed": "true"})
                    listed = {row.id: row for row in found}
                    for one in served:
                        restarts[one.resource_id] = await self._restarts(engine, one, listed)
                except Problem:
                    listed = None
                    await self._place.leave_engine()
            if listed is None:
                await self._place.check()
        seen = {one.resource_id: await self._state(one, listed) for one in served}
        return {key: replace(state, restarts=restarts.get(key, state.restarts)) for key, state in seen.items()}

    async def _restarts(self, engine: Engine, one: Served, listed: dict[str, containers.Listed]) -> int:
        """How often the engine has started again what this version has started. The list of containers does not tell,
        so those are asked that have run for less than a minute, or that nobody has asked yet.
        """
        own = [listed.get(part.container) for part in parts(one) if part.by == one.deployment]
        rows = [row for row in own if row is not None and row.state == "running"]
        known = self._last.get(one.deployment_id)
        if known is not None and not any("second" in row.status for row in rows):
            return known[0].restarts
        found = [await containers.find(engine, row.id) for row in rows]
        return sum(container.restart_count for container in found if container is not None)

    async def _is_here(self, one: Served, listed: dict[str, containers.Listed] | None) -> bool:
        if one.deployment_id in self._here:
            return True
        contained = (listed or {}) if one.runtime.get("kind") == "container" else {}
        if any(part.container in contained for part in parts(one)) or await self._place.holds(one):
            self._here.add(one.deployment_id)
            return True
        return False

    async def _state(self, one: Served, listed: dict[str, containers.Listed] | None) -> Seen:
        kind = one.runtime.get("kind")
        if listed is None and kind not in {"static", "process"}:
            return Seen("unknown", "The Docker engine does not answer.")
        if not await self._is_here(one, listed):
            return ELSEWHERE
        if kind == "static":
            return Seen("running" if one.wanted == "running" else "stopped")
        if kind == "process" or listed is None:
            status = await self._place.processes.find(str(one.runtime["instance"]))
            if status is None:
                return Seen("stopped" if one.wanted == "stopped" else "exited", "The process is gone.")
            return Seen(PROCESS_STATES[status.phase], status.message, status.restarts)
        return worst([(part, part_seen(part, listed, one.wanted)) for part in parts(one)])

    # -- logs

    def _follow(self, served: list[Served]) -> None:
        wanted = {voice.key: voice for one in served for voice in voices(one)}
        for key, task in list(self._followers.items()):
            # What may end has said all that it had to say when it has ended.
            if key not in wanted or (task.done() and not wanted[key].may_end):
                self._followers.pop(key).cancel()
        for key, voice in wanted.items():
            if key not in self._followers and voice.served.wanted == "running":
                # Versions overlap: what a new one wrote first may be older than the last line of the one before.
                slot = voice.served.resource_id, voice.service
                fresh = self._followed.get(slot, key) != key
                self._followed[slot] = key
                self._followers[key] = asyncio.create_task(self._copy(voice, fresh=fresh))

    async def _copy(self, voice: Voice, *, fresh: bool) -> None:
        """Copy what it writes into the stream of its resource, from behind its last line that is stored already; of a
        `fresh` one from its beginning.
        """
        stream = f"runtime:{voice.served.resource}"
        self._logs.mask(stream, await self._db.read(secret_values, voice.served.deployment_id))
        after = None if fresh else await self._heard(stream, voice.speaker)
        since = f"{after.timestamp():.9f}" if after is not None else ""
        flood = Flood(self._logs, stream, self._log_bytes)
        try:
            async for at, channel, text in lines(
                await self._place.engine(), self._place.processes, voice.runtime, since=since
            ):
                if after is not None and at is not None and at <= after:
                    continue
                self._logs.append(stream, [_line(at, channel, text, voice.speaker)])
                await flood.taken(len(text) + ROW_BYTES)
        except Problem as problem:
            log.info("runtime_log_ended", resource=voice.served.resource, code=problem.code)

    async def _heard(self, stream: str, speaker: str) -> datetime | None:
        """The time of the last line of a speaker that is stored; of who spoke long ago, the time of the oldest looked
        at.
        """
        page = await self._logs.read(stream, tail=PAGE)
        said = next((line.time for line in reversed(page) if line.phase == speaker), None)
        return said or (page[0].time if len(page) == PAGE else None)


@dataclass(frozen=True, slots=True)
class Voice:
    """Who writes for a runtime: one container or process, as a runtime, and what names it in the stream."""

    key: str
    served: Served
    runtime: dict[str, Any]
    speaker: str
    service: str | None = None
    may_end: bool = False


def voices(one: Served) -> list[Voice]:
    """Everything of a runtime whose lines are followed."""
    if one.runtime.get("kind") == "process":
        return [Voice(one.deployment, one, one.runtime, spoken_by(one.number, one.deployment))]
    if one.runtime.get("kind") != "container":
        return []
    return [
        Voice(
            part.container,
            one,
            {"kind": "container", "container": part.container},
            part.speaker,
            part.name,
            part.may_end,
        )
        for part in parts(one)
    ]


class Flood:
    """Keeps an application that writes without end from filling the store and from taking all of our time."""

    def __init__(self, logs: Logs, stream: str, keep: int) -> None:
        self._logs = logs
        self._stream = stream
        self._keep = keep
        self._step = min(LOG_BYTES_PER_SECOND, max(keep // 4, 1))
        self._new = self._pace = 0
        self._since = asyncio.get_running_loop().time()

    async def taken(self, size: int) -> None:
        """Count what was stored: now and then drop the oldest beyond the limit, and wait for who is too fast."""
        self._new += size
        self._pace += size
        if self._pace >= self._step:
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(self._since + self._pace / LOG_BYTES_PER_SECOND - now)
            self._pace, self._since = 0, asyncio.get_running_loop().time()
        if self._new >= self._step:
            self._new = 0
            await self._logs.prune(self._stream, keep_bytes=self._keep)


def _line(at: datetime | None, channel: str, text: str, speaker: str) -> Line:
    stream: Channel = "stderr" if channel == "stderr" else "system" if channel == "system" else "stdout"
    return Line(
        time=at or SystemClock().now(), source="application", stream=stream, phase=speaker, level="info", message=text
    )
