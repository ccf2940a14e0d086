"""Keeps one Caddy alive for one directory: adopts the one that runs, starts one where none does."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from quarterdeck.fleet.edge.admin import AdminClient, ConfigurationRefused
from quarterdeck.fleet.edge.host import ProxyHost
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.ports import Ports, port_conflict
from quarterdeck.fleet.edge.process import Identity, decode_identity
from quarterdeck.kernel.errors import Conflict, Problem, Unavailable
from quarterdeck.kernel.unreadable import UNREADABLE

JsonObject = dict[str, Any]

_START_SECONDS = 20.0
_CANNOT_LISTEN = re.compile(r"listen(?:ing)? on .*?:(\d+).*?(?:address already in use|permission denied)")

log = structlog.get_logger(__name__)


class Supervisor:
    """Every method wants the routes lock of the directory to be held by the caller."""

    def __init__(self, host: ProxyHost, layout: Layout, admin: AdminClient, *, group: int | None) -> None:
        self._host = host
        self._files = host.files
        self._layout = layout
        self._admin = admin
        self._group = group

    async def recorded(self) -> Identity | None:
        return decode_identity(await self._files.read(self._layout.process))

    async def adopt(self) -> Identity | None:
        """The living Caddy of this directory, or None when there is none and one may be started.

        It is ours if it holds the directory's lock and is the recorded process, or listens on the admin socket. Raises
        `Conflict` (`edge_proxy_host_port_conflict`) when the lock is held by somebody who is neither.
        """
        if await self._host.unlocked(self._layout.process_lock):
            return None
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while True:
            recorded = await self.recorded()
            owner = await self._host.owner(self._layout)
            if owner is not None and await self._admin.answers():
                if owner != recorded:
                    await self._record(owner)
                return owner
            if await self._host.unlocked(self._layout.process_lock):
                return None
            if not await self._host.lives(recorded) or asyncio.get_running_loop().time() >= deadline:
                raise Conflict(
                    f"Another process holds {self._layout.process_lock.name} of this edge directory but does not serve "
                    "as its edge.",
                    code="edge_proxy_host_port_conflict",
                    hint="Two control planes must not share a data directory. End the other one, or its Caddy.",
                    phase="proxy-bootstrap",
                    retriable=True,
                )
            await asyncio.sleep(0.05)

    async def start(self, generations: Sequence[JsonObject], ports: Ports) -> tuple[Identity, JsonObject]:
        """Starts Caddy with the first of the configurations that it takes; answers that one.

        Raises `Conflict` for a port that cannot be had, else what the first configuration failed with.
        """
        failure: Problem | None = None
        for configuration in generations:
            try:
                identity = await self._start(configuration)
            except (ConfigurationRefused, Unavailable) as error:
                log.warning("edge_start_failed", problem=error.message, notes=getattr(error, "__notes__", []))
                failure = failure or error
                continue
            sockets = await self._host.sockets()
            secure = "https" in configuration["apps"]["http"]["servers"]
            shared = [port for port in (ports.http, ports.https)[: 1 + secure] if sockets.shared(port)]
            if shared:
                await self.end(identity, grace_seconds=0)
                raise port_conflict(shared[0])
            log.info("edge_started", pid=identity.pid, http_port=ports.http, https_port=ports.https)
            return identity, configuration
        raise failure or Unavailable("There is no configuration to start the edge with.")

    async def end(self, identity: Identity, *, grace_seconds: float) -> bool:
        # The record goes first: an end that was asked for is not one to recover from.
        await self._files.remove(self._layout.process)
        return await self._host.end(identity, grace_seconds=grace_seconds)

    async def _start(self, configuration: JsonObject) -> Identity:
        layout = self._layout
        content = msgspec.json.encode(configuration)
        await self._files.write_atomic(layout.starting, content, group=self._group)
        # Caddy resumes from its own copy where that is what we want it to run, and from ours otherwise.
        if not _same(await self._files.read(layout.autosave), configuration):
            await self._files.remove(layout.autosave)
        await self._files.write_atomic(layout.start_log, b"")
        started = await self._host.start(layout)
        await self._record(started)
        try:
            await self._until_it_answers(started)
        except BaseException:
            await asyncio.shield(self.end(started, grace_seconds=0))
            raise
        return started

    async def _until_it_answers(self, started: Identity) -> None:
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while not await self._admin.answers():
            if not await self._host.lives(started):
                raise self._start_failure(await self._files.read(self._layout.start_log) or b"")
            if asyncio.get_running_loop().time() >= deadline:
                raise Unavailable(
                    f"The edge proxy did not answer within {_START_SECONDS:g} seconds.",
                    code="edge_proxy_start_failed",
                    hint="Look at log/start.log in the edge directory.",
                    phase="proxy-bootstrap",
                )
            await asyncio.sleep(0.02)

    def _start_failure(self, said: bytes) -> Problem:
        text = said.decode(errors="replace")[-4000:]
        conflict = cannot_listen(text)
        if conflict is not None:
            return conflict
        refused = ConfigurationRefused(
            "The edge proxy ended while it started.",
            code="edge_proxy_start_failed",
            hint="Look at log/start.log in the edge directory.",
            phase="proxy-bootstrap",
        )
        refused.add_note(text)
        return refused

    async def _record(self, identity: Identity) -> None:
        await self._files.write_atomic(self._layout.process, msgspec.json.encode(identity))


def cannot_listen(said: str) -> Conflict | None:
    """The port conflict in what Caddy says, if that is what it says."""
    found = _CANNOT_LISTEN.search(said)
    return port_conflict(int(found[1])) if found else None


def _same(saved: bytes | None, configuration: JsonObject) -> bool:
    with contextlib.suppress(*UNREADABLE):
        return bool(msgspec.json.decode(saved or b"") == configuration)
    return False
