"""The log file of SQLite knows its schema: older ones are brought up and keep their lines, newer ones are refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import inspect

from quarterdeck.kernel.db import Base
from quarterdeck.kernel.db.sqlite import open_engine
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.logs import Logs, versions
from quarterdeck.kernel.logs.model import log_lines, log_streams

from .conftest import line

STREAM = "deployment:dep_1"


def version(path):
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute("PRAGMA user_version").fetchone()[0]


def by_the_model(path):
    """A file as releases made it that did not count: whatever the model says, and no version."""
    engine = open_engine(path)
    with engine.begin() as connection:
        Base.metadata.create_all(connection, tables=[log_streams, log_lines])
    engine.dispose()


def shape(path):
    engine = open_engine(path)
    with engine.connect() as connection:
        looked = inspect(connection)
        told = {
            name: (
                [(one["name"], str(one["type"]), one["nullable"]) for one in looked.get_columns(name)],
                looked.get_pk_constraint(name),
                looked.get_unique_constraints(name),
                looked.get_indexes(name),
            )
            for name in sorted(looked.get_table_names())
        }
    engine.dispose()
    return told


async def stored(path, *texts):
    logs = Logs(path)
    if texts:
        await logs.store(STREAM, [line(text) for text in texts])
    read = [one.message for one in await logs.read(STREAM)]
    await logs.shut()
    return read


async def test_all_steps_together_make_what_the_model_says(tmp_path):
    await stored(tmp_path / "steps.db")
    by_the_model(tmp_path / "model.db")
    assert shape(tmp_path / "steps.db") == shape(tmp_path / "model.db")
    assert version(tmp_path / "steps.db") == len(versions.STEPS)


async def test_a_file_of_the_version_before_is_upgraded_and_keeps_its_lines(tmp_path, monkeypatch):
    path = tmp_path / "logs.db"
    by_the_model(path)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("INSERT INTO log_streams VALUES (1, ?, 1, 0, 3, 0, 0)", (STREAM,))
        raw.execute("INSERT INTO log_lines VALUES (1, 1, 0, 'application', 'stdout', NULL, 'info', 'old')")
    assert version(path) == 0
    assert await stored(path, "new") == ["old", "new"]
    before = version(path)
    more = ("ALTER TABLE log_lines ADD COLUMN attempt BIGINT", "CREATE INDEX ix_more ON log_streams (head)")
    monkeypatch.setattr(versions, "STEPS", (*versions.STEPS, more))
    assert await stored(path, "newest") == ["old", "new", "newest"]
    assert version(path) == before + 1
    assert "attempt" in [column[0] for column in shape(path)["log_lines"][0]]
    assert await stored(path) == ["old", "new", "newest"]  # a step is taken once


async def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "logs.db"
    await stored(path, "old")
    before = shape(path), version(path)
    broken = ("ALTER TABLE log_lines ADD COLUMN attempt BIGINT", "ALTER TABLE nowhere ADD COLUMN x BIGINT")
    with monkeypatch.context() as patch, pytest.raises(Exception, match="nowhere"):
        patch.setattr(versions, "STEPS", (*versions.STEPS, broken))
        Logs(path)
    assert (shape(path), version(path)) == before


async def test_a_newer_file_is_refused_like_a_newer_database(tmp_path):
    path = tmp_path / "logs.db"
    await stored(path, "old")
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {len(versions.STEPS) + 1}")
    with pytest.raises(Conflict) as refused:
        Logs(path)
    assert refused.value.code == "schema_newer_than_program"
    assert "log file" in refused.value.message
