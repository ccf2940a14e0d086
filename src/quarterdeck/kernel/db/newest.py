"""The newest schema as SQLite itself tells it: what all migrations together make of an empty file, in a fraction of the
time, for the first start of an installation. `script/new_migration` writes it; a test holds it against the migrations.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection

NEWEST = Path(__file__).parent / "migrations" / "newest.sql"
BETWEEN = "\n--\n"
"""Between statements: those of triggers hold semicolons."""
TRANSACTION = ("BEGIN TRANSACTION;", "COMMIT;")


def is_empty(connection: Connection) -> bool:
    return connection.exec_driver_sql("SELECT 1 FROM sqlite_master").first() is None


def make(connection: Connection) -> None:
    """The newest schema in an empty database, within the caller's transaction."""
    for statement in NEWEST.read_text().split(BETWEEN):
        connection.exec_driver_sql(statement)


def written(path: Path) -> str:
    """What `make` needs to make the same database again."""
    raw = sqlite3.connect(path)
    try:
        statements = [statement for statement in raw.iterdump() if statement not in TRANSACTION]
    finally:
        raw.close()
    return BETWEEN.join(statements)
