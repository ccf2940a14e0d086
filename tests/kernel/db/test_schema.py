"""What a migrated database is: the models' schema, exactly, on both databases."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.dialects import postgresql

from quarterdeck.kernel.clock import HeldClock, SystemClock, micros
from quarterdeck.kernel.db.backups import back_up
from quarterdeck.kernel.db.migrate import create, current, engine_for, migrate, pending, revisions
from quarterdeck.kernel.db.newest import NEWEST, written
from quarterdeck.kernel.db.types import Base
from quarterdeck.kernel.errors import Problem
from quarterdeck.schema import tables

ROOT = Path(__file__).resolve().parents[3]

SQLITE = """
    SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name <> 'alembic_version'
"""
COLUMNS = """
    SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, is_identity
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
"""
INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
"""
TRIGGERS = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
FUNCTIONS = "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
OPTIONS = """
    SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL
"""
CATALOGUE = {
    "sqlite": [SQLITE],
    "postgresql": [COLUMNS, INDEXES, CONSTRAINTS, TRIGGERS, FUNCTIONS, OPTIONS],
}


def catalogue(address: str | Path) -> set[tuple[str, ...]]:
    """Everything that stands in a database's own catalogue, without differences of spacing."""
    engine = engine_for(address)
    try:
        with engine.connect() as connection:
            return {
                tuple(normal(value) for value in row)
                for statement in CATALOGUE[connection.dialect.name]
                for row in connection.execute(text(statement.replace("::", "\\:\\:")))
            }
    finally:
        engine.dispose()


def normal(value: object) -> str:
    """Spacing and the order of a table's constraints are the only freedom between two spellings of one schema."""
    words = re.sub(r"\s+", " ", str(value)).replace("( ", "(").replace(" )", ")").strip()
    if not words.startswith("CREATE TABLE"):
        return words
    head, _, inner = words.partition("(")
    inside, _, tail = inner.rpartition(")")
    return f"{head}({', '.join(sorted(part.strip() for part in re.split(r',(?![^()]*[)])', inside)))}){tail}"


@pytest.fixture
def modelled(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest):
    """A database made from the models themselves."""
    from support.databases import empty_database

    server = request.getfixturevalue("postgresql") if database_kind == "postgresql" else None
    with empty_database(database_kind, tmp_path, server) as address:
        engine = engine_for(address)
        metadata = tables()
        apart = database_kind == "sqlite"
        wanted = [one for one in metadata.sorted_tables if not (apart and one.info.get("own_file"))]
        with engine.begin() as connection:
            metadata.create_all(connection, tables=wanted)
        engine.dispose()
        yield address


@pytest.fixture
def empty(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest):
    from support.databases import empty_database

    server = request.getfixturevalue("postgresql") if database_kind == "postgresql" else None
    with empty_database(database_kind, tmp_path, server) as address:
        yield address


def test_the_migrated_schema_is_the_models_with_every_index_trigger_and_condition(database_address, modelled):
    """When this fails, a model changed without a migration: script/new_migration NAME."""
    assert catalogue(database_address) == catalogue(modelled)


def test_every_column_that_holds_an_id_is_as_wide_as_ids_are():
    dialect = postgresql.dialect()
    narrow = [
        str(column)
        for table in tables().sorted_tables
        for column in table.columns
        if (column.name.endswith("_id") or column.autoincrement is True)
        and column.type.dialect_impl(dialect).compile(dialect) in {"INTEGER", "SMALLINT"}
    ]
    assert narrow == []


def test_alembic_sees_no_difference_either(database_address):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    engine = engine_for(database_address)
    with engine.connect() as connection:
        apart = connection.dialect.name == "sqlite"

        def wanted(thing, _name, kind, reflected, _other) -> bool:
            by_expression = kind == "index" and apart and not all(hasattr(one, "table") for one in thing.expressions)
            return not by_expression and not (kind == "table" and apart and thing.info.get("own_file"))

        context = MigrationContext.configure(connection, opts={"include_object": wanted, "compare_type": not apart})
        with warnings.catch_warnings(action="ignore"):  # SQLite cannot show indexes over expressions
            assert compare_metadata(context, tables()) == []
    engine.dispose()


def test_log_lines_lie_in_a_file_of_their_own_on_sqlite(database_address, database_kind):
    there = {word for row in catalogue(database_address) for word in row}
    assert ("log_lines" in there) == (database_kind == "postgresql")


def test_an_empty_database_is_brought_up_in_less_than_a_second_and_only_once(empty):
    assert pending(empty) == list(revisions())
    began = time.process_time()
    assert migrate(empty) == list(revisions())
    took = time.process_time() - began
    assert took < 1.0, f"{took:.2f} s of processor time"
    assert pending(empty) == []
    assert migrate(empty) == []
    assert current(empty) == revisions()[-1]


def test_a_newer_schema_is_refused_and_left_alone(empty):
    migrate(empty)
    engine = engine_for(empty)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for refused in (pending, migrate):
        with pytest.raises(Problem) as raised:
            refused(empty)
        assert raised.value.code == "schema_newer_than_program"
        assert "9999" in raised.value.message
    assert current(empty) == "9999"


def one_behind(address: str | Path) -> None:
    """A database as the release before the newest migration made it."""
    create(address, revisions()[-2], lambda _connection: None)


def test_every_table_of_the_program_is_known_to_who_makes_migrations():
    """A room that declares a table elsewhere than in `model.py` would be left out of the schema."""
    known = set(tables().tables)
    from quarterdeck.app import handlers

    handlers()
    assert set(Base.metadata.tables) == known


def test_data_is_backed_up_before_a_migration_where_it_is_a_file(empty, database_kind, tmp_path):
    one_behind(empty)
    backups = tmp_path / "backups"
    assert migrate(empty, backups=backups) == [revisions()[-1]]
    if database_kind == "postgresql":
        assert not backups.exists()
        return
    (made,) = backups.iterdir()
    assert made.name.startswith(f"quarterdeck-{revisions()[-2]}-")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(backups.stat().st_mode) == 0o700
    assert current(made) == revisions()[-2]


def test_a_first_start_backs_nothing_up(empty, tmp_path):
    migrate(empty, backups=tmp_path / "backups")
    assert not (tmp_path / "backups").exists()


def test_the_newest_three_backups_stay(tmp_path):
    database = tmp_path / "quarterdeck.db"
    sqlite3.connect(database).close()
    clock = HeldClock()
    made = []
    for revision in ("0001", "0002", "0001", "0003", "0002"):
        clock.advance(1)
        made.append(back_up(database, tmp_path / "backups", revision, clock=clock))
    assert sorted((tmp_path / "backups").iterdir()) == sorted(made[-3:])


def test_a_backup_that_cannot_be_made_stops_the_migration(tmp_path):
    database = tmp_path / "quarterdeck.db"
    one_behind(database)
    (tmp_path / "backups").write_text("not a directory")
    with pytest.raises(Problem) as raised:
        migrate(database, backups=tmp_path / "backups")
    assert raised.value.code == "backup_failed"
    assert raised.value.hint
    assert current(database) == revisions()[-2]


def test_a_damaged_file_is_named_and_kept(tmp_path):
    database = tmp_path / "quarterdeck.db"
    database.write_bytes(b"this was never a database" * 100)
    with pytest.raises(Problem) as raised:
        migrate(database)
    assert raised.value.code == "database_damaged"
    assert database.read_bytes().startswith(b"this was never")


def test_an_unreachable_database_is_a_sentence_without_its_password():
    with pytest.raises(Problem) as raised:
        pending("postgresql://quarterdeck:hunter2@127.0.0.1:1/deck")
    assert raised.value.code == "database_unavailable"
    assert "hunter2" not in raised.value.message + (raised.value.hint or "")


def test_two_processes_migrate_once(empty, database_kind):
    """PostgreSQL serves several servers: one waits for the other. (A SQLite file has one, by its lock.)"""
    program = "import sys; from quarterdeck.kernel.db.migrate import migrate; print(len(migrate(sys.argv[1])))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(empty)], stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(2)
    ]
    counts = sorted(int(one.communicate()[0]) for one in started)
    assert counts == [0, len(revisions())]


def test_of_the_archives_of_an_earlier_version_those_whose_time_is_not_over_become_holds(empty, database_kind):
    now = micros(SystemClock().now())
    until = {"open": None, "later": now + 3_600_000_000, "over": now - 1, "deleted": None}
    columns = ("uid", "ref", "from_at", "to_at", "retain_until", "created_at", "deleted_at")
    mark = "?" if database_kind == "sqlite" else "%s"

    def archives(connection):
        for name, moment in until.items():
            row = (name, f"aar_{name}", 1, 2, moment, 1, 1 if name == "deleted" else None)
            connection.execute(
                f"INSERT INTO audit_archives ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))})", row
            )

    create(empty, "0012", archives)
    migrate(empty)
    engine = engine_for(empty)
    with engine.connect() as connection:
        held = list(connection.execute(text("SELECT ref, from_at, to_at FROM audit_holds ORDER BY ref")))
    engine.dispose()
    assert held == [("ahl_later", 1, 2), ("ahl_open", 1, 2)]


def test_numbers_of_tasks_that_were_deleted_are_not_given_again_after_an_upgrade(tmp_path):
    """Rows, and what hangs on them, stay as they are; the database is sound and its foreign keys hold."""
    database = tmp_path / "quarterdeck.db"

    def insert(raw, table, **values):
        for _, name, kind, needed, default, _ in raw.execute(f"PRAGMA table_info({table})").fetchall():
            if needed and default is None and name not in values:
                values[name] = "[]" if kind == "JSON" else 1 if "INT" in kind else f"{name} of {values.get('id', 1)}"
        marks = ", ".join(["?"] * len(values))
        raw.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))

    def fill(raw):
        insert(raw, "identity_organizations", id=1)
        insert(raw, "workspace_projects", id=1)
        for number in (1, 2):
            insert(raw, "tasks_tasks", id=number)
        insert(raw, "tasks_gates", id=1, task_id=2)
        insert(raw, "event_streams", stream="task:9", head=3, watermark=0)
        insert(raw, "event_streams", stream="tasks:99", head=3, watermark=0)

    def rows(raw):
        return [raw.execute(f"SELECT * FROM {table}").fetchall() for table in ("tasks_tasks", "tasks_gates")]

    create(database, "0033", fill)
    raw = sqlite3.connect(database)
    before = rows(raw)
    migrate(database)
    assert rows(raw) == before
    raw.execute("PRAGMA foreign_keys = ON")
    insert(raw, "tasks_tasks", id=None, uid="the next")
    assert raw.execute("SELECT MAX(id) FROM tasks_tasks").fetchall() == [(10,)]
    raw.execute("DELETE FROM tasks_tasks WHERE id IN (2, 10)")
    insert(raw, "tasks_tasks", id=None, uid="the one after it")
    assert raw.execute("SELECT id FROM tasks_tasks ORDER BY id").fetchall() == [(1,), (11,)]
    assert raw.execute("SELECT COUNT(*) FROM tasks_gates").fetchone() == (0,)
    assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()


def test_after_an_upgrade_jobs_about_runners_say_so_in_their_rows(empty):
    create(empty, "0036", lambda _connection: None)
    engine = engine_for(empty)
    known = MetaData()
    known.reflect(engine, only=["identity_organizations", "fleet_workers", "infra_jobs"])

    def row(table, number, **values):
        filled = {"id": number, **values}
        for column in known.tables[table].columns:
            if not column.nullable and column.server_default is None:
                kind = dict if "JSON" in str(column.type) else column.type.python_type
                filled.setdefault(column.name, f"{column.name} {number}"[:20] if kind is str else kind())
        return known.tables[table].insert().values(**filled)

    kinds = {1: "DEPLOY_WORKER", 2: "UPDATE_WORKER", 3: "PLAN", 4: "DESTROY_WORKER"}
    with engine.begin() as connection:
        connection.execute(row("identity_organizations", 1))
        connection.execute(row("fleet_workers", 7, uid="the runner", organization_id=1))
        for number, kind in kinds.items():
            about = {"worker_id": "somebody else" if number == 2 else "the runner"}
            connection.execute(row("infra_jobs", number, organization_id=1, job_type=kind, snapshot=about))
    migrate(empty)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT id, subject_worker_id FROM infra_jobs ORDER BY id")).all()
    engine.dispose()
    assert found == [(1, 7), (2, None), (3, None), (4, 7)]


@pytest.mark.parametrize("place", ["migrate.begin", "migrate.applied"])
def test_an_upgrade_that_is_killed_half_way_leaves_the_schema_before_and_is_begun_again(empty, tmp_path, place):
    before = revisions()[-4]
    create(empty, before, lambda _connection: None)
    found = catalogue(empty)
    (tmp_path / "armed").write_text(f"{place} 1")
    program = "import sys; from quarterdeck.kernel.db.migrate import migrate; migrate(sys.argv[1])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "QUARTERDECK_FAULTS": str(tmp_path)}
    killed = subprocess.run([sys.executable, "-c", program, str(empty)], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert current(empty) == before
    assert catalogue(empty) == found
    assert migrate(empty) == list(revisions()[-3:])
    assert pending(empty) == []


def test_the_schema_that_is_written_down_is_what_all_migrations_make(tmp_path: Path) -> None:
    """Byte for byte, so that nobody's first start differs from another one's upgrade. Else: script/new_migration
    --newest.
    """
    one_by_one, at_once = tmp_path / "one-by-one.db", tmp_path / "at-once.db"
    create(one_by_one, revisions()[-1], lambda _connection: None)
    assert written(one_by_one) == NEWEST.read_text()
    assert migrate(at_once) == list(revisions())
    assert written(at_once) == NEWEST.read_text()
