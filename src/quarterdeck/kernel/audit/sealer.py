"""The background task that seals."""

from __future__ import annotations

import structlog

from quarterdeck.kernel.audit.seal import BATCH, seal
from quarterdeck.kernel.db import Database

POLL = 1.0
SETTLE = 0.1
log = structlog.get_logger("quarterdeck.audit")


class Sealer:
    """Seals what was committed, within a second: woken by the bus (topic `audit`), correct without it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> None:
        """Run until cancelled."""
        with self._db.bus.subscribe("audit") as inbox:
            while True:
                try:
                    while await self._db.write(seal) == BATCH:
                        pass
                except Exception:
                    log.exception("audit_not_sealed")
                if await inbox.get(timeout=POLL) is not None:
                    await inbox.get(timeout=SETTLE)  # what comes at the same time is sealed at the same time
                    inbox.drain()
