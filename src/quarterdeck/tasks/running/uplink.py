"""The terminal of an attempt that nobody watches; `fleet/terminals/uplink` has the words of those that others see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from quarterdeck.fleet.terminals.uplink import Ended, UplinkEvent


class LogOnly:
    """An `Uplink` whose output stands in the log alone, and nobody types."""

    def output(self, data: bytes) -> None:
        pass

    async def events(self) -> AsyncIterator[UplinkEvent]:
        await asyncio.get_running_loop().create_future()
        yield Ended("nobody watches")

    async def close(self, exit_code: int | None) -> None:
        pass
