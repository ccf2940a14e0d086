"""Group commit above the database: what waits while one unit is being written goes into the next one together."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from quarterdeck.kernel.db import Database, Tx

A = TypeVar("A")
B = TypeVar("B")
BATCH = 256


class Grouped(Generic[A, B]):
    """Awaitable single calls over a verb that takes many. When a group fails, each call is written on its own, so
    that nobody fails for a neighbour's reason. `patience` is how many seconds the first call waits for company.
    """

    def __init__(self, db: Database, many: Callable[[Tx, Sequence[A]], Sequence[B]], *, patience: float = 0.0) -> None:
        self._db = db
        self._many = many
        self._patience = patience
        self._waiting: list[tuple[A, asyncio.Future[B]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def __call__(self, item: A) -> B:
        """The answer, once it is durable."""
        answer: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), context=contextvars.Context())
        return await answer

    async def _write(self) -> None:
        try:
            while self._waiting:
                if self._patience:
                    await asyncio.sleep(self._patience)
                group, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._write_group(group)
        finally:
            self._writing = None

    async def _write_group(self, group: list[tuple[A, asyncio.Future[B]]]) -> None:
        try:
            answers = await self._db.write(self._many, [item for item, _ in group])
        except Exception as error:  # noqa: BLE001 - told to the caller, or tried again one by one
            if len(group) > 1:
                for one in group:
                    await self._write_group([one])
            elif not group[0][1].done():
                group[0][1].set_exception(error)
            return
        for (_, waiting), answer in zip(group, answers, strict=True):
            if not waiting.done():
                waiting.set_result(answer)
