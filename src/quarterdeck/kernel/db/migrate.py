"""Bringing a database to this program's schema: one linear history, newer schemas refused.

Alembic is imported only when there is something to apply: asking takes one query, and an empty SQLite file is given
the newest schema as it is written down.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, Engine, create_engine, pool
from sqlalchemy.exc import DBAPIError

from quarterdeck.kernel.db import newest
from quarterdeck.kernel.db.address import sqlalchemy_url
from quarterdeck.kernel.db.backups import back_up
from quarterdeck.kernel.db.sqlite import open_engine
from quarterdeck.kernel.errors import Conflict, Problem, Unavailable
from quarterdeck.kernel.faults import point

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

ADVISORY_KEY = 4711  # one migrating process at a time
MIGRATIONS = Path(__file__).parent / "migrations"
_FILE = re.compile(r"v(\d{4})_\w+\.py")
log = structlog.get_logger("quarterdeck.db")


@cache
def revisions() -> tuple[str, ...]:
    """Every revision of this program, oldest first: the numbers in the names of the migration files."""
    found = (_FILE.fullmatch(path.name) for path in (MIGRATIONS / "versions").iterdir())
    return tuple(sorted(match[1] for match in found if match))


def engine_for(address: str | Path) -> Engine:
    """A plain engine for migrations and tools; the caller disposes of it."""
    if isinstance(address, str) and address.startswith(("postgres", "postgresql")):
        return create_engine(sqlalchemy_url(address), poolclass=pool.NullPool, hide_parameters=True)
    return open_engine(Path(address))


def current(address: str | Path) -> str | None:
    """The revision that a database is at, None for an empty one. Raises a `Problem` when it cannot be asked."""
    engine = engine_for(address)
    try:
        with engine.connect() as connection:
            return _current(connection)
    except DBAPIError as error:
        raise _unusable(address, error) from error
    finally:
        engine.dispose()


def _current(connection: Connection) -> str | None:
    there = (
        "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.dialect.name == "sqlite"
        else "SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL"  # an error would end the transaction
    )
    if connection.exec_driver_sql(there).scalar() is None:
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return str(found) if found is not None else None


def pending(address: str | Path) -> list[str]:
    """The revisions that `migrate` would apply, oldest first. Raises `Conflict` for a newer schema."""
    return _after(current(address))


def is_newest(revision: str) -> bool:
    """Whether nothing would be applied to a database at a revision. Raises `Conflict` for a newer one."""
    return not _after(revision)


def require_known(revision: str) -> None:
    """Raise `Conflict` (`schema_newer_than_program`) for a revision that this program does not have."""
    _after(revision)


def _after(here: str | None) -> list[str]:
    known = list(revisions())
    if here is None:
        return known
    if here not in known:
        raise Conflict(
            f"The database is at schema {here}, which this program does not know: it was written by a newer release.",
            code="schema_newer_than_program",
            hint="Start the release that wrote it, or restore the backup taken before that upgrade.",
        )
    return known[known.index(here) + 1 :]


def migrate(address: str | Path, *, backups: Path | None = None) -> list[str]:
    """Apply what is pending, in one transaction, one process at a time. Returns the revisions applied.

    A SQLite file that holds data is copied into `backups` first. PostgreSQL is not; see
    `quarterdeck.backups.taking.before_upgrade`.
    """
    engine = engine_for(address)
    try:
        if engine.dialect.name == "sqlite" and backups is not None:
            here = current(address)
            if here is not None and _after(here):
                log.info("backed_up", file=str(back_up(Path(address), backups, here)))
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_KEY})")
            todo = _after(_current(connection))
            if todo:
                point("migrate.begin")
                if connection.dialect.name == "sqlite" and newest.is_empty(connection):
                    newest.make(connection)
                else:
                    _upgrade(connection)
                point("migrate.applied")
            return todo
    except DBAPIError as error:
        raise _unusable(address, error) from error
    finally:
        engine.dispose()


def create(address: str | Path, revision: str, fill: Callable[[Any], None]) -> None:
    """Make the schema of `revision` in an empty database and let `fill` (given the driver's connection) put the rows
    in, in one transaction. Raises `Conflict` for a revision that is newer than this program.
    """
    require_known(revision)
    engine = engine_for(address)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_KEY})")
            _upgrade(connection, revision)
            fill(connection.connection.driver_connection)
    except DBAPIError as error:
        raise _unusable(address, error) from error
    finally:
        engine.dispose()


def _scripts() -> ScriptDirectory:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def _upgrade(connection: Connection, to: str = "head") -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    scripts = _scripts()

    def steps(revision: object, _context: MigrationContext) -> object:
        return scripts._upgrade_revs(to, revision)  # type: ignore[arg-type]  # noqa: SLF001 - Alembic's own way

    config = Config()
    config.set_main_option("path_separator", "os")
    with EnvironmentContext(config, scripts, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=False)
        environment.run_migrations()


def _unusable(address: str | Path, error: DBAPIError) -> Problem:
    """Why a database cannot be used, in words; the driver's own words may hold its address and stay in the cause."""
    if isinstance(address, str) and getattr(error.orig, "sqlstate", None) is None:
        return Unavailable(
            "The database does not answer.",
            code="database_unavailable",
            hint="Check that PostgreSQL runs, and that host, user and password in QUARTERDECK_DATABASE_URL are right.",
        )
    if isinstance(address, str):
        return Unavailable(
            f"The database refused the migration (SQLSTATE {getattr(error.orig, 'sqlstate', None)}). "
            "Nothing was changed.",
            code="database_refused",
            hint="The user has to own the database's schema. The server's log says more.",
        )
    if "not a database" in str(error.orig) or "malformed" in str(error.orig):
        return Conflict(
            f"{address} is damaged, or not a SQLite database.",
            code="database_damaged",
            hint="Put a backup in its place (backups/ beside it holds those made before upgrades).",
        )
    return Unavailable(
        f"The database file {address} cannot be opened ({error.orig}).",
        code="database_unavailable",
        hint="Check owner and permissions of the file and its directory, and the free space of the disk.",
    )
