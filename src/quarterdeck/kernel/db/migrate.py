"""Bringing a database to this program's schema: one linear history, newer schemas refused."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, pool

from quarterdeck.kernel.db.postgresql import sqlalchemy_url
from quarterdeck.kernel.db.sqlite import open_engine
from quarterdeck.kernel.db.types import Base
from quarterdeck.kernel.errors import Conflict

ADVISORY_KEY = 4711  # one migrating process at a time


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def engine_for(address: str | Path) -> Engine:
    """A plain engine for migrations and tools; the caller disposes of it."""
    if isinstance(address, str) and address.startswith(("postgres", "postgresql")):
        return create_engine(sqlalchemy_url(address), poolclass=pool.NullPool)
    return open_engine(Path(address))


def pending(address: str | Path) -> list[str]:
    """The revisions that `migrate` would apply, oldest first. Raises `Conflict` for a newer schema."""
    scripts = _scripts()
    engine = engine_for(address)
    try:
        with engine.connect() as connection:
            return _pending(scripts, connection)
    finally:
        engine.dispose()


def _pending(scripts: ScriptDirectory, connection: Connection) -> list[str]:
    here = MigrationContext.configure(connection).get_current_revision()
    known = [script.revision for script in reversed(list(scripts.walk_revisions()))]
    if here is None:
        return known
    if here not in known:
        raise Conflict(
            f"The database is at schema {here}, which this program does not know: it was written by a newer release.",
            code="schema_newer_than_program",
            hint="Start the release that wrote it, or restore the backup taken before that upgrade.",
        )
    return known[known.index(here) + 1 :]


def migrate(address: str | Path) -> list[str]:
    """Apply what is pending, in one transaction, one process at a time. Returns the revisions applied."""
    scripts = _scripts()
    engine = engine_for(address)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_KEY})")
            todo = _pending(scripts, connection)
            if todo:
                _upgrade(scripts, connection)
            return todo
    finally:
        engine.dispose()


def _upgrade(scripts: ScriptDirectory, connection: Connection) -> None:
    def steps(revision: object, _context: MigrationContext) -> object:
        return scripts._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001 - Alembic's own way

    config = Config()
    config.set_main_option("path_separator", "os")
    with EnvironmentContext(config, scripts, fn=steps) as environment:
        environment.configure(connection=connection, target_metadata=Base.metadata, transactional_ddl=False)
        environment.run_migrations()
