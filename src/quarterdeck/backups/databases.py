"""The databases of an installation as files: a consistent copy made while others write, and what stands in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from sqlalchemy import StaticPool, create_engine
from sqlalchemy.orm import Session

from quarterdeck.backups.manifest import DataKey, Table
from quarterdeck.kernel.errors import Conflict

DATA_KEYS = "SELECT id, master_key_id, wrapped, backend FROM vault_keys ORDER BY id"


def copy(database: Path, target: Path) -> None:
    """One state of a SQLite file, whoever writes to it meanwhile, as a file without a log beside it (0600)."""
    target.touch(mode=0o600)
    with (
        closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=30)) as source,
        closing(sqlite3.connect(target)) as made,
    ):
        source.backup(made)
        made.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def reading(database: Path) -> Iterator[sqlite3.Connection]:
    """A copy that nobody else has open, for reading alone."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as opened:
        yield opened


@contextmanager
def session(database: Path) -> Iterator[Session]:
    """The same for what reads rows as objects."""
    with ExitStack() as after:
        opened = after.enter_context(reading(database))
        engine = create_engine("sqlite://", creator=lambda: opened, poolclass=StaticPool, hide_parameters=True)
        yield after.enter_context(Session(engine))


def tables(database: Path) -> list[Table]:
    with reading(database) as opened:
        names = [row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return [Table(name, opened.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names]  # noqa: S608 - names of our own schema


def facts(database: Path) -> tuple[str, str, list[DataKey]]:
    """Schema, uid of the installation and data keys. Raises `Conflict` for a database of nobody."""
    try:
        with reading(database) as opened:
            schema = opened.execute("SELECT version_num FROM alembic_version").fetchone()
            uid = opened.execute("SELECT uid FROM instance").fetchone()
            keys = opened.execute(DATA_KEYS).fetchall()
    except sqlite3.DatabaseError as error:
        raise nothing_to_keep(str(error)) from None
    if schema is None or uid is None:
        raise nothing_to_keep("it has never been started")
    return str(schema[0]), str(uid[0]), [DataKey(*row) for row in keys]


def fault(database: Path) -> str | None:
    """What SQLite's own check finds wrong with a file, None for a good one."""
    try:
        with reading(database) as opened:
            said = str(opened.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if said == "ok" else said


def nothing_to_keep(why: str) -> Conflict:
    return Conflict(
        f"There is no installation to back up: {why}.",
        code="backup_nothing_there",
        hint="Name its directory with --data-dir, and its database with --database-url @FILE if it is PostgreSQL.",
    )
