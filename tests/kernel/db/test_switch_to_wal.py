"""A new SQLite file that several processes open at the same moment."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from quarterdeck.kernel.db.sqlite import open_engine, write_ahead


def test_a_file_that_another_holds_is_waited_for_and_then_switched(tmp_path):
    """SQLite itself answers `database is locked` at once here, whatever the busy timeout."""
    file = tmp_path / "quarterdeck.db"
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE one (id INTEGER)")
    later = threading.Timer(0.5, other.execute, ["COMMIT"])
    later.start()
    try:
        engine = open_engine(file)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("SELECT name FROM sqlite_master").scalar() == "one"
        engine.dispose()
    finally:
        later.join()
        other.close()


def test_a_file_that_stays_locked_is_told_after_a_while(tmp_path):
    file = tmp_path / "quarterdeck.db"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    mine = sqlite3.connect(file, isolation_level=None)
    try:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            write_ahead(mine, seconds=0.1)
    finally:
        mine.close()
        other.close()


def test_a_damaged_file_is_told_at_once(tmp_path):
    file = tmp_path / "quarterdeck.db"
    file.write_bytes(b"this was never a database" * 100)
    mine = sqlite3.connect(file)
    try:
        with pytest.raises(sqlite3.DatabaseError, match="not a database"):
            write_ahead(mine, seconds=60)
    finally:
        mine.close()
