"""A PostgreSQL database as files, by COPY alone: no pg_dump, no superuser, one consistent state.

Each table becomes one file of text, each row one line. Loading makes the schema that the files were written at and
fills it in a single transaction: whatever fails leaves the database as empty as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql
from sqlalchemy.orm import Session

from quarterdeck.backups.databases import DATA_KEYS, nothing_to_keep
from quarterdeck.backups.manifest import DataKey, Table
from quarterdeck.kernel.db.address import libpq_url
from quarterdeck.kernel.db.migrate import create, engine_for
from quarterdeck.kernel.errors import Conflict, Unavailable

CHUNK = 1 << 20
VERSION_TABLE = "alembic_version"
_TABLES = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
AND a.attgenerated = '' GROUP BY c.relname ORDER BY c.relname
"""
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema() ORDER BY 1"
_FOREIGN_KEYS = """
SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c
WHERE c.connamespace = current_schema()::regnamespace AND c.contype = 'f' ORDER BY 1, 2
"""


@contextmanager
def snapshot(address: str) -> Iterator[Snapshot]:
    """One state of the database, however long reading it takes."""
    try:
        connection = psycopg.connect(libpq_url(address), connect_timeout=10)
    except psycopg.OperationalError:
        raise Unavailable(
            "The database does not answer.",
            code="database_unavailable",
            hint="Check that PostgreSQL runs, and that host, user and password in QUARTERDECK_DATABASE_URL are right.",
        ) from None
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield Snapshot(connection, address)


class Snapshot:
    """What stands in the database at one instant."""

    def __init__(self, connection: psycopg.Connection[Any], address: str) -> None:
        self._connection, self._address = connection, address

    def facts(self) -> tuple[str, str, list[DataKey]]:
        """Schema, uid of the installation and data keys. Raises `Conflict` for a database of nobody."""
        try:
            schema = self._connection.execute("SELECT version_num FROM alembic_version").fetchone()
            uid = self._connection.execute("SELECT uid FROM instance").fetchone()
            keys = self._connection.execute(DATA_KEYS).fetchall()
        except psycopg.errors.UndefinedTable:
            raise nothing_to_keep("the database has none of its tables") from None
        if schema is None or uid is None:
            raise nothing_to_keep("it has never been started")
        return str(schema[0]), str(uid[0]), [DataKey(*row) for row in keys]

    def tables(self) -> list[tuple[str, list[str]]]:
        found = self._connection.execute(_TABLES).fetchall()
        return [(str(name), list(columns)) for name, columns in found if name != VERSION_TABLE]

    def write(self, name: str, columns: list[str], target: IO[bytes]) -> Table:
        statement = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(name), _names(columns))
        rows = 0
        with self._connection.cursor() as cursor, cursor.copy(statement) as copied:
            for data in copied:
                rows += bytes(data).count(b"\n")
                target.write(data)
        return Table(name, rows, columns)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """For what reads rows as objects: a connection of its own that sees the same state."""
        row = self._connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None  # noqa: S101 - a function answers one row
        engine = engine_for(self._address)
        try:
            with engine.connect().execution_options(isolation_level="REPEATABLE READ") as opened:
                opened.exec_driver_sql(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(str(row[0])).as_string())
                with Session(opened) as session:
                    yield session
        finally:
            engine.dispose()

    def sequences(self) -> dict[str, int]:
        return {str(name): int(last) for name, last in self._connection.execute(_SEQUENCES) if last is not None}


def require_empty(address: str) -> None:
    """Raise `Conflict` (`restore_target_not_empty`) for a database that has any table."""
    with snapshot(address) as found:
        if found.tables():
            raise Conflict(
                "The PostgreSQL database is not empty. A backup is restored into an empty one only.",
                code="restore_target_not_empty",
                hint="Create a new database and name it with --database-url @FILE.",
            )


def holds(address: str, instance: str) -> bool:
    """Whether the database is that of this installation."""
    with snapshot(address) as found:
        return bool(found.tables()) and found.facts()[1] == instance


def load(address: str, directory: Path, schema: str, tables: list[Table], sequences: dict[str, int]) -> None:
    """Make the schema at that revision and fill it from the files, all or nothing."""

    def fill(connection: psycopg.Connection[Any]) -> None:
        keys = connection.execute(_FOREIGN_KEYS).fetchall()
        # Rows come in the order of the files; what points at what is checked when all are there.
        for table, name, _ in keys:
            connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'.encode())
        for table in tables:
            _fill(connection, table, directory / f"{table.name}.copy")
        for table, name, definition in keys:
            connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}'.encode())
        for name, last in sequences.items():
            connection.execute("SELECT setval(%s::regclass, %s)", (sql.Identifier(name).as_string(connection), last))

    create(address, schema, fill)


def _fill(connection: psycopg.Connection[Any], table: Table, file: Path) -> None:
    name = sql.Identifier(table.name)
    # What only grows refuses to be emptied, and migrations may have put first rows there.
    connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
    connection.execute(sql.SQL("DELETE FROM {}").format(name))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(name, _names(table.columns))
    with connection.cursor() as cursor, cursor.copy(statement) as copied, file.open("rb") as source:
        while data := source.read(CHUNK):
            copied.write(data)
    connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))


def _names(columns: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
