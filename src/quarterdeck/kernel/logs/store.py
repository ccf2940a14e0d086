"""Reading and writing lines: the statements, on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, create_engine, text

from quarterdeck.kernel.clock import instant, micros
from quarterdeck.kernel.db.address import sqlalchemy_url
from quarterdeck.kernel.db.sqlite import open_engine
from quarterdeck.kernel.logs import versions
from quarterdeck.kernel.logs.line import Line

_NUMBER = text(
    "INSERT INTO log_streams (name, head, watermark, bytes, closed, updated_at) "
    "VALUES (:name, :count, 0, :bytes, :closed, :at) ON CONFLICT (name) DO UPDATE SET "
    "head = log_streams.head + excluded.head, bytes = log_streams.bytes + excluded.bytes, "
    "closed = excluded.closed, updated_at = excluded.updated_at RETURNING id, head"
)
_STREAM = text("SELECT id, head, watermark, closed, bytes FROM log_streams WHERE name = :name")
_HEADS = text("SELECT name, head FROM log_streams WHERE name IN :names").bindparams(bindparam("names", expanding=True))
_COLUMNS = "number, at, source, channel, phase, level, message"
_AFTER = f"SELECT {_COLUMNS} FROM log_lines WHERE stream_id = :stream AND number > :after "  # noqa: S608 - constant text
_INSERT_SQLITE = (
    "INSERT INTO log_lines (stream_id, number, at, source, channel, phase, level, message) VALUES (?,?,?,?,?,?,?,?)"
)
_COPY = "COPY log_lines (stream_id, number, at, source, channel, phase, level, message) FROM STDIN"
_FIRST_KEPT = text("SELECT number FROM log_lines WHERE stream_id = :stream AND at >= :before ORDER BY number LIMIT 1")
_SIZES = text(
    "SELECT number, LENGTH(message) FROM log_lines WHERE stream_id = :stream AND number <= :until "
    "ORDER BY number LIMIT :limit"
)
_DELETE = text("DELETE FROM log_lines WHERE stream_id = :stream AND number <= :until")
_PRUNED = text("UPDATE log_streams SET watermark = :until, bytes = bytes - :bytes WHERE id = :stream")
_HOLDING = text("SELECT name FROM log_streams WHERE head > watermark ORDER BY updated_at")
_OLDER = text(
    "SELECT s.name FROM log_streams s JOIN log_lines l ON l.stream_id = s.id AND l.number = s.watermark + 1 "
    "WHERE s.name LIKE :prefix AND l.at < :before ORDER BY s.name"
)
_EMPTY = text(
    "SELECT name FROM log_streams WHERE head = watermark AND updated_at < :before AND name > :after "
    "ORDER BY name LIMIT :limit"
)
_DROP = text("DELETE FROM log_streams WHERE name IN :names AND head = watermark AND updated_at < :before").bindparams(
    bindparam("names", expanding=True)
)
CHUNK = 5_000
ROW_BYTES = 64
"""What a line takes beside its text: who writes many short ones fills a disk as well."""


class State(NamedTuple):
    """What is known of a stream: numbers run from `watermark` + 1 to `head`."""

    id: int
    head: int
    watermark: int
    closed: bool
    bytes: int


EMPTY = State(0, 0, 0, False, 0)


class Pruned(msgspec.Struct, frozen=True):
    lines: int
    bytes: int


class Store:
    """One connection for the writer thread, a few for readers. `shared` stores have other writers beside us."""

    def __init__(self, address: str | Path) -> None:
        self.shared = isinstance(address, str) and address.startswith(("postgres://", "postgresql"))
        if self.shared:
            self._engine = self._readers = create_engine(
                sqlalchemy_url(str(address)), pool_size=4, max_overflow=0, pool_pre_ping=True, hide_parameters=True
            )
        else:
            self._engine = open_engine(Path(address), synchronous="NORMAL")
            with self._engine.begin() as connection:
                versions.upgrade(connection)
            self._readers = open_engine(Path(address), read_only=True)

    def writer(self) -> Connection:
        return self._engine.connect()

    def reader(self) -> Connection:
        return self._readers.connect()

    def dispose(self) -> None:
        self._engine.dispose()
        self._readers.dispose()

    # -- writing

    def write(
        self, connection: Connection, groups: Mapping[str, Sequence[Line]], closing: set[str], now: datetime
    ) -> dict[str, list[Line]]:
        """Number and store the lines of several streams in one transaction. Returns them numbered, once durable."""
        numbered: dict[str, list[Line]] = {}
        rows: list[tuple[Any, ...]] = []
        with connection.begin():
            for name in sorted(set(groups) | closing):  # one order everywhere: no deadlocks between replicas
                lines = groups.get(name, ())
                stream, head = connection.execute(
                    _NUMBER,
                    {
                        "name": name,
                        "count": len(lines),
                        "bytes": sum(len(line.message) for line in lines),
                        "closed": name in closing,
                        "at": micros(now),
                    },
                ).one()
                number = head - len(lines)
                done = numbered[name] = []
                for line in lines:
                    number += 1
                    done.append(Line(line.time, line.source, line.stream, line.phase, line.level, line.message, number))
                    rows.append(
                        (
                            stream, number, micros(line.time), line.source, line.stream, line.phase, line.level,
                            line.message,
                        )
                    )  # fmt: skip
            raw: Any = connection.connection.driver_connection
            if not self.shared:
                raw.executemany(_INSERT_SQLITE, rows)
            elif rows:
                with raw.cursor().copy(_COPY) as copy:
                    for row in rows:
                        copy.write_row(row)
        return numbered

    def prune(
        self, connection: Connection, name: str, before: datetime | None, keep_bytes: int | None, *, dry_run: bool
    ) -> Pruned:
        """Drop the oldest lines: all before an instant, and what exceeds a size. One chunk for each transaction."""
        lines = size = 0
        while True:
            with connection.begin():
                state = self.state(connection, name)
                until = self._until(connection, state, before)
                held = state.bytes + (state.head - state.watermark) * ROW_BYTES
                gone = size + lines * ROW_BYTES if dry_run else 0
                excess = max(0, held - keep_bytes - gone) if keep_bytes is not None else 0
                cut = taken = count = 0
                after = lines + state.watermark if dry_run else 0
                limit = CHUNK + lines if dry_run else CHUNK
                found = connection.execute(_SIZES, {"stream": state.id, "until": state.head, "limit": limit})
                for number, length in found:
                    if number <= after:
                        continue
                    if number > until and taken + count * ROW_BYTES >= excess:
                        break
                    cut, taken, count = number, taken + length, count + 1
                if count and not dry_run:
                    connection.execute(_DELETE, {"stream": state.id, "until": cut})
                    connection.execute(_PRUNED, {"stream": state.id, "until": cut, "bytes": taken})
            lines, size = lines + count, size + taken
            if count < CHUNK:
                return Pruned(lines, size)

    def drop(self, connection: Connection, names: Sequence[str], before: datetime) -> int:
        """Forget those of the streams that hold no line and were given none since `before`. Answers how many went."""
        with connection.begin():
            done: int = connection.execute(_DROP, {"names": list(names), "before": micros(before)}).rowcount
        return done

    @staticmethod
    def _until(connection: Connection, state: State, before: datetime | None) -> int:
        if before is None:
            return state.watermark
        kept: int | None = connection.execute(_FIRST_KEPT, {"stream": state.id, "before": micros(before)}).scalar()
        return state.head if kept is None else kept - 1

    # -- reading

    def names(self, connection: Connection) -> list[str]:
        """Streams that still hold lines."""
        return [row[0] for row in connection.execute(_HOLDING)]

    def empty(self, connection: Connection, before: datetime, after: str, limit: int) -> list[str]:
        """Names above `after`, in order, of streams that hold no line and were given none since `before`."""
        values = {"before": micros(before), "after": after, "limit": limit}
        return [row[0] for row in connection.execute(_EMPTY, values)]

    def older(self, connection: Connection, prefix: str, before: datetime) -> list[str]:
        """Streams whose names begin so and whose first line is from before an instant."""
        return [row[0] for row in connection.execute(_OLDER, {"prefix": f"{prefix}%", "before": micros(before)})]

    def state(self, connection: Connection, name: str) -> State:
        row = connection.execute(_STREAM, {"name": name}).first()
        return State(row[0], row[1], row[2], bool(row[3]), row[4]) if row else EMPTY

    def heads(self, connection: Connection, names: Sequence[str]) -> dict[str, int]:
        found = connection.execute(_HEADS, {"names": list(names)})
        return {name: head for name, head in found}  # noqa: C416 - rows are no pairs to the type checker

    def read(
        self,
        connection: Connection,
        name: str,
        after: int,
        limit: int,
        *,
        tail: int | None,
        since: datetime | None,
        until: datetime | None,
        before: int | None,
    ) -> list[Line]:
        state = self.state(connection, name)
        values: dict[str, Any] = {"stream": state.id, "after": after, "limit": limit}
        where = ""
        if since is not None:
            where = "AND at >= :since "
            values["since"] = micros(since)
        if until is not None:
            where += "AND at <= :until "
            values["until"] = micros(until)
        if before is not None:
            where += "AND number < :before "
            values["before"] = before
        if tail is None:
            found = connection.execute(text(f"{_AFTER}{where}ORDER BY number LIMIT :limit"), values).all()
        else:
            values["limit"] = min(tail, limit)
            found = connection.execute(text(f"{_AFTER}{where}ORDER BY number DESC LIMIT :limit"), values).all()[::-1]
        return [Line(instant(row[1]), row[2], row[3], row[4], row[5], row[6], row[0]) for row in found]
