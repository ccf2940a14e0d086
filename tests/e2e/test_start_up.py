"""What a server refuses at its start, and how long its start takes."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from pathlib import Path

import psycopg
import pytest

from e2e.server import PROGRAM, Deck, environment
from e2e.truth import rows
from support.speed import start_budget

pytestmark = [pytest.mark.root]

START_BUDGET = 3.0


def refused(deck: Deck) -> str:
    """What a second start on the installation's directory says."""
    done = subprocess.run(
        [*PROGRAM, "serve", *deck.options()],
        capture_output=True, text=True, check=False, timeout=60, env=environment(None),
    )  # fmt: skip
    assert done.returncode not in {0, -9}
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_a_second_server_on_the_same_directory_is_refused_by_the_first_ones_process(bare: Deck) -> None:
    assert bare.server is not None
    said = refused(bare)
    assert f"in use by process {bare.server.pid}" in said
    assert "--data-dir" in said
    bare.await_ready()
    assert int((bare.data / "lock").read_text()) == bare.server.pid


def test_a_newer_schema_is_refused_and_left_as_it_is(bare: Deck) -> None:
    bare.stop()
    ((revision,),) = rows(bare, "SELECT version_num FROM alembic_version")
    _set_revision(bare, "9999")
    before = _kept(bare)
    try:
        said = refused(bare)
        assert "newer" in said
        assert "Start the release that wrote it" in said
        assert rows(bare, "SELECT version_num FROM alembic_version") == [("9999",)]
        assert _kept(bare) == before
    finally:
        _set_revision(bare, revision)
    bare.start()


def test_a_start_costs_less_than_its_budget(bare: Deck) -> None:
    """In seconds of one core; bench measures the time on the clock."""
    took = []
    for _ in range(3):
        bare.stop()
        bare.start()
        took.append(_processor_seconds(bare))
    budget = start_budget(START_BUDGET)
    assert min(took) < budget, (took, budget)


def _kept(deck: Deck) -> tuple[object, ...]:
    """What a migration, or a start that went too far, would have changed."""
    tables = ("jobs", "audit_events", "domain_events", "instance", "vault_keys")
    counts = [rows(deck, f"SELECT COUNT(*) FROM {table}") for table in tables]
    backups = sorted(path.name for path in deck.data.glob("backups/*"))
    return backups, (deck.data / "master.key").read_bytes(), counts


def _processor_seconds(deck: Deck) -> float:
    assert deck.server is not None
    fields = Path(f"/proc/{deck.server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _set_revision(deck: Deck, revision: str) -> None:
    statement = f"UPDATE alembic_version SET version_num = '{revision}'"
    if deck.database_url:
        with psycopg.connect(deck.database_url, autocommit=True) as connection:
            connection.execute(statement.encode())
        return
    with contextlib.closing(sqlite3.connect(deck.data / "quarterdeck.db")) as connection:
        connection.execute(statement)
        connection.commit()
