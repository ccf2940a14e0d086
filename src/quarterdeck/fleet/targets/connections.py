"""One SSH connection for each server and way of signing in, shared by whoever needs it and closed when nobody did."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from quarterdeck.fleet.targets import refusals
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.fleet.targets.ssh import SshHost

IDLE_SECONDS = 60.0
LOOK_SECONDS = 10.0


@dataclass(slots=True)
class _Kept:
    host: SshHost
    users: int
    released: float
    remote: Remote | None = None


@dataclass(slots=True)
class _Turn:
    """Who connects to one place, and who waits for that."""

    lock: asyncio.Lock
    users: int = 0


class Connections:
    """`async with connections.to(login) as host`. A cut connection is replaced at the next use."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle = idle_seconds
        self._kept: dict[str, _Kept] = {}
        self._turns: dict[str, _Turn] = {}

    @contextlib.asynccontextmanager
    async def to(self, login: Login) -> AsyncIterator[SshHost]:
        name = _name(login)
        async with self._turn(name):
            kept = self._kept.get(name)
            if kept is None or kept.host.closed:
                if kept is not None and kept.remote is not None:
                    await kept.remote.close()
                kept = self._kept[name] = _Kept(await SshHost.connect(login), 0, time.monotonic())
            kept.users += 1
        try:
            yield kept.host
        finally:
            kept.users -= 1
            kept.released = time.monotonic()

    @contextlib.asynccontextmanager
    async def _turn(self, name: str) -> AsyncIterator[None]:
        turn = self._turns.setdefault(name, _Turn(asyncio.Lock()))
        turn.users += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[name]

    async def remote(self, host: SshHost) -> Remote:
        """What is at the other end of a connection that is in use: looked at once for each connection."""
        kept = next((one for one in self._kept.values() if one.host is host), None)
        if kept is None:
            raise refusals.cut(host.login)
        if kept.remote is None:
            looked = await Remote.look(host)
            kept.remote = kept.remote or looked
        return kept.remote

    async def tend(self) -> None:
        """Close what nobody uses; runs beside the server until canceled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.close(idle=self._idle)

    async def close(self, *, idle: float | None = None) -> None:
        """Close every connection, or those that have not been used for so many seconds."""
        now = time.monotonic()
        for name, kept in list(self._kept.items()):
            if idle is None or kept.host.closed or (kept.users == 0 and now - kept.released >= idle):
                del self._kept[name]
                if kept.remote is not None:
                    await kept.remote.close()
                await kept.host.close()


def _name(login: Login) -> str:
    """Two logins share a connection only when everything about them is the same, the name of the server included:
    what goes wrong over it is told with that name.
    """
    return f"{login.way}|{login.pin.fingerprint if login.pin else ''}|{login.server or ''}"
