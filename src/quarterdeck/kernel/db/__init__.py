"""Units of work on SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quarterdeck.kernel.db.base import Database
from quarterdeck.kernel.db.failures import DatabaseUnavailable, of_storage
from quarterdeck.kernel.db.tx import Tx
from quarterdeck.kernel.db.types import Base, BigId, Identified, Instant, Json

__all__ = [
    "Base",
    "BigId",
    "Database",
    "DatabaseUnavailable",
    "Identified",
    "Instant",
    "Json",
    "Tx",
    "of_storage",
    "open_database",
]


def open_database(address: str | Path, **services: Any) -> Database:
    """The database behind a PostgreSQL URL or a SQLite file path. Services: `clock`, `ids`, `vault`, `bus`,
    `parts` (what `tx.part` gives).
    """
    if isinstance(address, str) and address.startswith(("postgres://", "postgresql://", "postgresql+psycopg://")):
        from quarterdeck.kernel.db.postgresql import PostgresqlDatabase

        return PostgresqlDatabase(address, **services)
    from quarterdeck.kernel.db.sqlite import SqliteDatabase

    return SqliteDatabase(Path(address), **services)
