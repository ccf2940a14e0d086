"""A unit of work, as the rules see it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sqlalchemy import Connection, Executable, Result, ScalarResult, Select, text
from sqlalchemy.orm import Session

from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.principal import Context, Principal

if TYPE_CHECKING:
    from quarterdeck.kernel.bus import Bus
    from quarterdeck.kernel.clock import Clock
    from quarterdeck.kernel.ids import Ids
    from quarterdeck.kernel.vault.vault import Vault

M = TypeVar("M")
P = TypeVar("P")
Params = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
DialectName = Literal["sqlite", "postgresql"]


def pyformat(statement: str) -> str:
    """A statement with `:name` parameters in PostgreSQL's driver's form."""
    return re.sub(r"(?<!:):(\w+)", r"%(\1)s", statement.replace("%", "%%"))


class Tx:
    """One transaction, or one savepoint of a group commit: what is done with it is kept or lost as a whole.

    A verb receives it as first argument, is synchronous and must not keep it. ORM work goes through `session`,
    everything else through `execute`; both speak on the same connection. `now` is one instant for the whole unit.
    """

    __slots__ = (
        "_held",
        "_session",
        "_vault",
        "bus",
        "callbacks",
        "clock",
        "closing",
        "connection",
        "context",
        "dialect",
        "ids",
        "now",
        "parts",
    )

    def __init__(
        self,
        connection: Connection,
        *,
        dialect: DialectName,
        clock: Clock,
        ids: Ids,
        vault: Vault | None,
        context: Context,
        bus: Bus,
        parts: Sequence[object] = (),
    ) -> None:
        self.connection = connection
        self.bus = bus
        self.dialect: DialectName = dialect
        self.clock = clock
        self.ids = ids
        self._vault = vault
        self.parts = parts
        self.context = context
        self.now: datetime = clock.now()
        self.callbacks: list[Callable[[], None]] = []
        self.closing: dict[Callable[[Tx], object], None] = {}
        self._session: Session | None = None
        self._held: set[object] = set()

    def part(self, kind: type[P]) -> P:
        """What the composition gave rules to know of that kind, such as an operator's choices; without it, the kind's
        own defaults.
        """
        return next((part for part in self.parts if isinstance(part, kind)), None) or kind()

    @property
    def vault(self) -> Vault:
        """What seals and opens secrets. Raises RuntimeError where the database was opened without one."""
        if self._vault is None:
            raise RuntimeError("this database was opened without a vault")
        return self._vault

    @property
    def principal(self) -> Principal:
        return self.context.principal

    def act_as(self, principal: Principal) -> None:
        """From here on the unit acts for somebody whom it has just made known: who signs in, or was just created."""
        self.context = replace(self.context, principal=principal)

    @property
    def session(self) -> Session:
        """The ORM session of this unit, made at first use; it has a savepoint of its own, so that a failed flush
        never takes a neighbour's work along.
        """
        if self._session is None:
            self._session = Session(
                self.connection, expire_on_commit=False, autoflush=True, join_transaction_mode="create_savepoint"
            )
        return self._session

    @property
    def raw(self) -> Any:
        """The driver's own connection, for the hot statements of the ledger."""
        return self.connection.connection.driver_connection

    def execute(self, statement: Executable | str, params: Params = None) -> Result[*tuple[Any, ...]]:
        """Run a Core or text statement after what the ORM session holds back has been written."""
        if self._session is not None:
            self._session.flush()
        return self.connection.execute(text(statement) if isinstance(statement, str) else statement, params)

    def hot(self, statement: str, params: Mapping[str, Any] | Sequence[Any] = ()) -> Any:
        """Run a statement of the measured paths on the driver's own connection, with the driver's own parameters
        (`:name` or `?` on SQLite, `%(name)s` or `%s` on PostgreSQL; see `pyformat`). Answers the driver's cursor.
        """
        if self._session is not None:
            self._session.flush()
        return self.raw.execute(statement, params)

    def add(self, row: M) -> M:
        """Insert an ORM row at once, so that its `id` is known and its conflicts are raised here."""
        self.session.add(row)
        self.session.flush()
        return row

    def get(self, model: type[M], key: int) -> M | None:
        """A row by its id. The unit holds it: a session alone forgets what nobody does, and would ask once more."""
        found = self.session.get(model, key)
        if found is not None:
            self._held.add(found)
        return found

    def hold(self, rows: Iterable[M]) -> list[M]:
        """The rows of a list, held likewise: `get` answers each of them without asking."""
        held = list(rows)
        self._held.update(held)
        return held

    def scalars(self, statement: Select[M]) -> ScalarResult[M]:
        return self.session.scalars(statement)

    def first(self, statement: Select[M]) -> M | None:
        return self.session.scalars(statement).first()

    def one(self, statement: Select[M], *, what: str, code: str = "not_found") -> M:
        """The single row, else `NotFound` that names `what` was looked for ("project prj_…")."""
        row = self.first(statement)
        if row is None:
            raise NotFound(f"There is no {what}, or you may not see it.", code=code)
        return row

    def lock(self, *keys: str, shared: bool = False) -> None:
        """Keep units that name one of the same keys apart until this one ends. SQLite has one writer already.

        Those that only rely on a thing staying as it is take it `shared`, beside each other. Never take a key that
        you hold shared alone as well: two units that do so wait for each other.
        """
        if self.dialect == "postgresql":
            for key in sorted(set(keys)):
                self.execute(
                    f"SELECT pg_advisory_xact_lock{'_shared' if shared else ''}(:space, :key)",
                    {"space": 4710, "key": zlib.crc32(key.encode()) - 2**31},
                )

    def take_time(self) -> None:
        """No statement of this unit is ended for lasting long: for what walks whole tables beside the requests."""
        if self.dialect == "postgresql":
            self.execute("SET LOCAL statement_timeout = 0")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the unit that may fail alone: what it did is undone when it raises, and the unit goes on."""
        marked = len(self.callbacks)
        if self._session is not None:
            try:
                with self._session.begin_nested():
                    yield
            except BaseException:
                del self.callbacks[marked:]
                raise
            return
        nested = self.connection.begin_nested()
        try:
            yield
            self.finish(keep=True)
        except BaseException:
            del self.callbacks[marked:]
            self.finish(keep=False)
            nested.rollback()
            raise
        nested.commit()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back on the event loop once the unit is durable: wake-ups only, since a crash forgets them."""
        self.callbacks.append(callback)

    def before_commit(self, verb: Callable[[Tx], object]) -> None:
        """Run a verb as the last of the unit, once however often it is asked for: for a row that all units want, so
        that each holds it for no longer than its commit takes.
        """
        self.closing[verb] = None

    def close(self) -> None:
        """Run what was left to the end. Called by the database, not by verbs."""
        for verb in self.closing:
            verb(self)

    def publish(self, topic: str, payload: Any = None) -> None:
        """Publish on the bus once the unit is durable."""
        self.callbacks.append(partial(self.bus.publish, topic, payload))

    def flush(self) -> None:
        if self._session is not None:
            self._session.flush()

    def finish(self, *, keep: bool) -> None:
        """Release or roll back the session's savepoint. Called by the database, not by verbs."""
        if self._session is not None:
            try:
                if keep:
                    self._session.commit()
            finally:
                self._session.close()
                self._session = None
