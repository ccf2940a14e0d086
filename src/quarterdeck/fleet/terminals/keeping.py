"""How long recordings and used tokens stay."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from quarterdeck.fleet.terminals import rows, tokens
from quarterdeck.kernel.retention import Category, register

BATCH = 500
HOUR = 3600


async def prune_recordings(instance: Any, before: datetime) -> int:
    """Remove terminals that began before an instant, first their rows, then their files; and files without a row,
    which are left where that was cut off.
    """
    removed = 0
    broker = instance.terminals
    while True:
        gone: list[str] = await instance.db.write(rows.prune, before, broker.open_uids, BATCH)
        for uid in gone:
            broker.file(uid).unlink(missing_ok=True)
        removed += len(gone)
        if not gone:
            break
    for uid in broker.older_files(before):
        if not await instance.db.read(rows.exists, uid):
            broker.file(uid).unlink(missing_ok=True)
    return removed


async def prune_tokens(instance: Any, before: datetime) -> int:
    removed = 0
    while done := await instance.db.write(tokens.prune, before, BATCH):
        removed += done
    return removed


register(
    Category(
        "terminal-recordings",
        "Terminals of tasks and their recordings",
        timedelta(days=30),
        prune_recordings,
        every=6 * HOUR,
    )
)
register(Category("channel-tokens", "Expired channel tokens of terminals", timedelta(days=1), prune_tokens))
