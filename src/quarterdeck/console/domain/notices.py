"""The reader's notifications."""

from __future__ import annotations

from typing import Any

from quarterdeck.console.views.tasks import Notice
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal
from quarterdeck.notify import inbox

NEWEST = 100


class Notices:
    """`who` is the caller that the unit of work knows from its context; everybody has their own."""

    instance: Any

    async def notices(self, who: Principal, *, every: bool) -> tuple[Notice, ...]:
        found: tuple[Notice, ...] = await self.instance.db.read(_listed, every)
        return found

    async def read_notices(self, who: Principal, number: int | None) -> None:
        if number is None:
            await self.instance.db.write(inbox.read_all)
        else:
            await self.instance.db.write(inbox.read, number)


def _listed(tx: Tx, every: bool) -> tuple[Notice, ...]:
    rows = inbox.page(tx, read_too=every, before=None, limit=NEWEST).rows
    return tuple(
        Notice(one.id, one.title, one.body, one.link or "", one.created_at, one.read_at is not None) for one in rows
    )
