"""One SSH connection for each server and way of signing in, shared by whoever needs it and closed when nobody did."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass

from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.ssh import SshHost

IDLE_SECONDS = 60.0
LOOK_SECONDS = 10.0


@dataclass(slots=True)
class _Kept:
    host: SshHost
    users: int
    released: float


class Connections:
    """`async with connections.to(login) as host`. A cut connection is replaced at the next use."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle = idle_seconds
        self._kept: dict[str, _Kept] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @contextlib.asynccontextmanager
    async def to(self, login: Login) -> AsyncIterator[SshHost]:
        name = _name(login)
        async with self._locks[name]:
            kept = self._kept.get(name)
            if kept is None or kept.host.closed:
                kept = self._kept[name] = _Kept(await SshHost.connect(login), 0, time.monotonic())
            kept.users += 1
        try:
            yield kept.host
        finally:
            kept.users -= 1
            kept.released = time.monotonic()

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
                await kept.host.close()


def _name(login: Login) -> str:
    """Two logins share a connection only when everything about them is the same."""
    key = hashlib.sha256(login.key.reveal().encode()).hexdigest() if login.key is not None else "agent"
    return f"{login}|{key}|{login.pin.fingerprint if login.pin else ''}"
