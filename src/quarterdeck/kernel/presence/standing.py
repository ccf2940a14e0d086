"""What a server knows of the others, and says of itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import structlog

from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.presence import presence
from quarterdeck.kernel.presence.presence import Neighbour

LOOK_SECONDS = 2.0
"""How often one that stands beside looks for the one that works."""
REACH_SECONDS = 1.0
log = structlog.get_logger("quarterdeck.presence")


class Standing:
    """One for each server on PostgreSQL. `run` lives beside it, `leave` says that it ends. `works` asks the database
    whether this server holds its lock: while it does, and only then, it is the one that works.
    """

    def __init__(self, db: Database, me: Neighbour, works: Callable[[Tx], bool]) -> None:
        self._db = db
        self.me = me
        self._works = works
        self.others: Sequence[Neighbour] = ()

    @property
    def working(self) -> Neighbour | None:
        """Another server, which works, as far as is known."""
        return next((one for one in self.others if one.working), None)

    async def run(self) -> None:
        """Until canceled: say that this server is there, and see who else is."""
        loop = asyncio.get_running_loop()
        with self._db.bus.subscribe(presence.CHANGED) as inbox:
            await self._db.write(self._tell, presence.arrive)
            told = loop.time()
            while True:
                works, shown = await self.look()
                if works == shown:
                    await inbox.get(presence.SEEN_SECONDS if works else LOOK_SECONDS)
                    inbox.drain()
                # At once, where others are told anything else than what the lock says.
                if works != shown or loop.time() - told >= presence.SEEN_SECONDS:
                    told = loop.time()
                    await self._db.write(self._tell, presence.seen)

    def _tell(self, tx: Tx, verb: Callable[[Tx, Neighbour], None]) -> None:
        verb(tx, replace(self.me, working=self._works(tx)))

    async def look(self) -> tuple[bool, bool]:
        """See who else is there now. Answers whether this server works, and whether others are told that it does."""

        def both(tx: Tx) -> tuple[list[Neighbour], bool]:
            return presence.there(tx), self._works(tx)

        found, works = await self._db.read(both)
        others = [one for one in found if one.uid != self.me.uid]
        if [one.uid for one in others] != [one.uid for one in self.others]:
            log.info("servers_there", others=[one.name for one in others])
        self.others = others
        return works, any(one.working for one in found if one.uid == self.me.uid)

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
