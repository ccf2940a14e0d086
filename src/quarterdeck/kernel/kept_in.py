"""Which database an installation is kept in, noted in its data directory: a command that is told of no database takes
SQLite's file there, which may be what was left behind when the installation began anew on PostgreSQL.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from quarterdeck.kernel.datadir import KEPT_IN, DataDirectory
from quarterdeck.kernel.durable import write_durably
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.unreadable import UNREADABLE

NAME = KEPT_IN


class KeptIn(msgspec.Struct, frozen=True, omit_defaults=True):
    """`host`, `port` and `name` of a PostgreSQL database as its address has them: no user, no password."""

    kind: Literal["sqlite", "postgresql"]
    host: str | None = None
    port: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        if self.kind == "sqlite":
            return "SQLite"
        place = f" on {self.host}{f':{self.port}' if self.port else ''}" if self.host else ""
        return "PostgreSQL" + (f" (the database {self.name}{place})" if self.name else "")


def of(address: str | Path) -> KeptIn:
    """What is noted of an address that a server has opened: a PostgreSQL URL, or SQLite's file."""
    if isinstance(address, Path):
        return KeptIn("sqlite")
    from psycopg.conninfo import conninfo_to_dict

    found = conninfo_to_dict(address)
    host, port, name = (None if part is None else str(part) for part in map(found.get, ("host", "port", "dbname")))
    return KeptIn("postgresql", host or None, port or None, name or None)


def note(directory: Path, address: str | Path) -> None:
    """Leave the note in a data directory, or in what becomes one."""
    here = of(address)
    if _noted(directory) != here:
        write_durably(directory / NAME, msgspec.json.encode(here))


def require_told(data: DataDirectory, address: str | Path) -> None:
    """Raise `Conflict` (`database_not_named`) where SQLite is meant because no database was named, and the installation
    is kept in PostgreSQL.
    """
    noted = _noted(data.path)
    if isinstance(address, str) or noted is None or noted.kind == "sqlite":
        return
    left = " What lies in its quarterdeck.db is not the installation." if address.exists() else ""
    raise Conflict(
        f"The installation in {data.path} is kept in {noted}, and no database was named.{left}",
        code="database_not_named",
        hint="Name it as for serve: --database-url @FILE. "
        f"Only to begin anew on SQLite, remove {data.path / NAME} first.",
    )


def _noted(directory: Path) -> KeptIn | None:
    """None where no server has started yet since there are notes, or the note cannot be read."""
    try:
        return msgspec.json.decode((directory / NAME).read_bytes(), type=KeptIn)
    except (OSError, *UNREADABLE):
        return None
