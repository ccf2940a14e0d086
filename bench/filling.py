"""Rows in bulk, made inside a database that nobody else uses yet.

Indexes that can be are dropped and built again afterwards, which costs a tenth of keeping them row by row and leaves
what years of work leave: full pages in the order of the keys.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg

PART = 500_000


class Filler:
    """One connection for filling. `numbers(first, last)` is the beginning of a statement that can select from n(i)."""

    def __init__(self, connection: sqlite3.Connection | psycopg.Connection) -> None:
        self.connection = connection
        self.sqlite = isinstance(connection, sqlite3.Connection)

    def run(self, statement: str) -> list[tuple[object, ...]]:
        cursor = self.connection.execute(statement)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []

    def insert(self, table: str, count: int, values: dict[str, str]) -> None:
        """`count` rows. Values are SQL over `n.i`, which counts from 1, in words that both databases understand."""
        columns = ", ".join(f'"{name}"' for name in values)
        for first in range(1, count + 1, PART):
            last = min(first + PART - 1, count)
            numbers = (
                f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
                if self.sqlite
                else f"WITH n(i) AS (SELECT generate_series({first}::bigint, {last}::bigint))"
            )
            selected = ", ".join(values.values())
            if self.sqlite:
                self.run(f"{numbers} INSERT INTO {table} ({columns}) SELECT {selected} FROM n")
            else:
                self.run(f"INSERT INTO {table} ({columns}) {numbers} SELECT {selected} FROM n")

    def padded(self, prefix: str, width: int) -> str:
        """SQL for a text that grows with `n.i`: the prefix and the number with leading zeros."""
        return f"printf('{prefix}%0{width}d', n.i)" if self.sqlite else f"'{prefix}' || lpad(n.i::text, {width}, '0')"

    def scattered(self, prefix: str) -> str:
        """SQL for a text of 12 characters and more in no order, and never twice: as references are."""
        turned = "((n.i * 7919) % 1000003)"  # spread first, unique by the number after it
        if self.sqlite:
            return f"printf('{prefix}%07d%08d', {turned}, n.i)"
        return f"'{prefix}' || lpad({turned}::text, 7, '0') || lpad(n.i::text, 8, '0')"


@contextlib.contextmanager
def filling(address: str | Path, *tables: str) -> Iterator[Filler]:
    """A filler of a migrated database. Afterwards indexes stand again, and statistics are known."""
    if isinstance(address, Path):
        with contextlib.closing(sqlite3.connect(address, isolation_level=None)) as connection:
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-500000", "foreign_keys=OFF"):
                connection.execute(f"PRAGMA {pragma}")
            filler = Filler(connection)
            marks = ", ".join(f"'{table}'" for table in tables)
            known = filler.run(
                f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL AND tbl_name IN ({marks})"
            )
            for name, _ in known:
                filler.run(f"DROP INDEX {name}")
            yield filler
            for _, definition in known:
                filler.run(str(definition))
            filler.run("PRAGMA journal_mode=WAL")
        return
    with psycopg.connect(address, autocommit=True) as connection:
        filler = Filler(connection)
        for setting in (
            "synchronous_commit = off", "maintenance_work_mem = '512MB'", "session_replication_role = replica",
        ):  # fmt: skip
            filler.run(f"SET {setting}")
        marks = ", ".join(f"'{table}'" for table in tables)
        known = filler.run(
            f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({marks}) AND indexname NOT IN "
            "(SELECT conname FROM pg_constraint)"
        )
        for name, _ in known:
            filler.run(f'DROP INDEX "{name}"')
        yield filler
        for _, definition in known:
            filler.run(str(definition))
        for table in tables:
            filler.run(f"VACUUM (FREEZE, ANALYZE) {table}")
        filler.run("CHECKPOINT")
