"""Lines that are kept, as the made-up installation of `portside` shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from console.ledgerside import NOW
from quarterdeck.console.ports import Place
from quarterdeck.console.views.deployments import LineViews, LogView
from quarterdeck.console.views.resources import KeptRow
from quarterdeck.kernel.errors import Invalid, NotFound

ROWS = (
    KeptRow("rla_000000000002", NOW - timedelta(days=2), 1000, "the failed sale <b>of May</b>", "v41, fra-1"),
    KeptRow("rla_000000000001", NOW - timedelta(days=120), 100, "", "v7, worker"),
)


class KeptSide:
    """What runs says, what of it was kept, and what is done to that."""

    empty: bool
    _did: Callable[..., None]
    deployment_log: Callable[..., Awaitable[LogView]]

    async def runtime_log(self, who: Any, place: Place, limit: int) -> LogView | None:
        log = await self.deployment_log(who, place, 42, limit)
        return None if self.empty else replace(log, stream="runtime:res_web")

    async def whole_deployment_log(self, who: Any, place: Place, number: int) -> AsyncIterator[LineViews]:
        lines = (await self.deployment_log(who, place, number, 0)).lines

        async def pages() -> AsyncIterator[LineViews]:
            for line in lines:
                yield (line,)

        return pages()

    async def whole_runtime_log(self, who: Any, place: Place) -> AsyncIterator[LineViews]:
        return await self.whole_deployment_log(who, place, 42)

    async def kept_logs(self, who: Any, place: Place, limit: int) -> tuple[KeptRow, ...]:
        return () if self.empty else ROWS

    async def kept_log(self, who: Any, place: Place, ref: str) -> tuple[KeptRow, LogView]:
        found = next((row for row in ROWS if row.ref == ref), None)
        if found is None:
            raise NotFound(f"There is no log archive {ref}.", hint="It may have been pruned.")
        return found, await self.deployment_log(who, place, 40, 1000)

    async def keep_log(self, who: Any, place: Place, *, lines: str, service: str, reason: str) -> str:
        if service == "nobody":
            raise Invalid("web has no service nobody.", hint="Leave it out.")
        self._did("keep-log", place, lines, service, reason)
        return ROWS[0].ref

    async def archive_deployment(self, who: Any, place: Place, number: int) -> None:
        self._did("archive-deployment", place, number)

    async def old_kept_logs(self, who: Any, place: Place, days: int) -> int:
        return sum(row.at < NOW - timedelta(days=days) for row in ROWS)

    async def delete_kept_logs(self, who: Any, place: Place, days: int, confirmation: str) -> int:
        if confirmation != place.resource:
            raise Invalid("The name typed is not the name of the resource.", hint="Type web.", field="confirmation")
        self._did("delete-kept", place, days)
        return 1
