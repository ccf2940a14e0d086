"""What a server knows of the others, and says of itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from urllib.parse import urlsplit

import structlog

from quarterdeck.kernel.db import Database
from quarterdeck.kernel.presence import presence
from quarterdeck.kernel.presence.presence import Neighbour

LOOK_SECONDS = 2.0
"""How often one that stands beside looks for the one that works."""
REACH_SECONDS = 1.0
log = structlog.get_logger("quarterdeck.presence")


class Standing:
    """One for each server on PostgreSQL. `run` lives beside it, `leave` says that it ends."""

    def __init__(self, db: Database, me: Neighbour) -> None:
        self._db = db
        self.me = me
        self.others: Sequence[Neighbour] = ()

    @property
    def working(self) -> Neighbour | None:
        """Another server, which works, as far as is known."""
        return next((one for one in self.others if one.working), None)

    async def run(self) -> None:
        """Until canceled: say that this server is there, and see who else is."""
        loop = asyncio.get_running_loop()
        with self._db.bus.subscribe(presence.CHANGED) as inbox:
            await self._db.write(presence.arrive, self.me)
            told = loop.time()
            pause = presence.SEEN_SECONDS if self.me.working else LOOK_SECONDS
            while True:
                await self.look()
                await inbox.get(pause)
                inbox.drain()
                if loop.time() - told >= presence.SEEN_SECONDS:
                    told = loop.time()
                    await self._db.write(presence.seen, self.me)

    async def look(self) -> None:
        """See who else is there now."""
        found = await self._db.read(presence.there)
        others = [one for one in found if one.uid != self.me.uid]
        if [one.uid for one in others] != [one.uid for one in self.others]:
            log.info("servers_there", others=[one.name for one in others])
        self.others = others

    async def reaches_working(self) -> bool:
        """Whether somebody listens where the other server says that it works; nothing is asked of it."""
        where = urlsplit(self.working.address or "") if self.working is not None else None
        if where is None or not where.hostname:
            return False
        port = where.port or (443 if where.scheme == "https" else 80)
        try:
            async with asyncio.timeout(REACH_SECONDS):
                _, writer = await asyncio.open_connection(where.hostname, port)
        except OSError:  # a timeout is one
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def leave(self) -> None:
        """Safe to call when the database is away."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._db.write(presence.leave, self.me.uid)
