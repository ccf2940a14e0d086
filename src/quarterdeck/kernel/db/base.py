"""What a database is to the rest of the program: two doors, `write` and `read`."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import structlog
from sqlalchemy import Connection, Engine

from quarterdeck.kernel.bus import Bus
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.db.tx import DialectName, Tx
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.principal import current

if TYPE_CHECKING:
    from quarterdeck.kernel.vault.vault import Vault

R = TypeVar("R")
log = structlog.get_logger("quarterdeck.db")


class Database(ABC):
    """Runs verbs: plain functions `def verb(tx, …)` that touch storage and nothing else.

    `write` answers after the change is durable; a verb that raises leaves nothing behind. `read` sees every change
    that `write` has answered. Verbs may be run again after a deadlock, so they have no effect outside `tx`.
    """

    dialect: ClassVar[DialectName]
    engine: Engine

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        vault: Vault | None = None,
        bus: Bus | None = None,
        parts: Sequence[object] = (),
    ) -> None:
        self.clock = clock or SystemClock()
        self.ids = ids or Ids(self.clock)
        self.vault = vault
        self.bus = bus or Bus()
        self.parts = tuple(parts)
        self._loop: asyncio.AbstractEventLoop | None = None

    def unit(self, connection: Connection) -> Tx:
        return Tx(
            connection,
            dialect=self.dialect,
            clock=self.clock,
            ids=self.ids,
            vault=self.vault,
            context=current.get(),
            bus=self.bus,
            parts=self.parts,
        )

    @abstractmethod
    async def write(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R: ...

    @abstractmethod
    async def read(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R: ...

    @abstractmethod
    def write_sync(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R: ...

    @abstractmethod
    def read_sync(self, verb: Callable[..., R], *args: Any, **kwargs: Any) -> R: ...

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Units that have been handed in and not begun: how far the database is behind."""

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    def close_sync(self) -> None: ...

    @staticmethod
    def call_back(callbacks: list[Callable[[], None]] | None) -> None:
        for callback in callbacks or ():
            try:
                callback()
            except Exception:
                log.exception("after_commit_callback_failed")
