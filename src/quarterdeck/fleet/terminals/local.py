"""The uplink of the worker inside the server: straight to the broker."""

from __future__ import annotations

from collections.abc import AsyncIterator

from quarterdeck.fleet.terminals.broker import Broker, Opening
from quarterdeck.fleet.terminals.history import Size
from quarterdeck.fleet.terminals.terminal import Line
from quarterdeck.fleet.terminals.uplink import UplinkEvent, event_of
from quarterdeck.fleet.terminals.viewing import Left


class LocalUplink:
    """An `Uplink` without a connection that could be cut."""

    def __init__(self, broker: Broker, line: Line) -> None:
        self._broker, self._line = broker, line

    @classmethod
    async def open(
        cls, broker: Broker, subject: str, attempt: int, columns: int, rows: int, *, worker_id: int | None = None
    ) -> LocalUplink:
        """Raises what `Broker.open` does."""
        return cls(broker, await broker.open(Opening(subject, attempt, Size(columns, rows), worker_id)))

    def output(self, data: bytes) -> None:
        self._line.output(data)

    async def events(self) -> AsyncIterator[UplinkEvent]:
        try:
            while True:
                event = event_of(await self._line.next())
                if event is not None:
                    yield event
        except Left:
            return

    async def close(self, exit_code: int | None) -> None:
        await self._broker.exited(self._line, exit_code)
        await self._broker.detach(self._line)
