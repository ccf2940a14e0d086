from __future__ import annotations

import contextlib
import sqlite3

import psycopg
import pytest

from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import Action


class ThingAction(Action):
    MADE = "test-thing.made"
    READ = "test-thing.read"


def record(database, resource: str = "thg_1", **more):
    values = {"organization_id": 1, "resource_type": "thing", "resource_id": resource, **more}
    return database.write_sync(audit.record, ThingAction.MADE, **values)


class Intruder:
    """Somebody with the database's own tools: triggers stand in their way until they switch them off."""

    def __init__(self, kind: str, address: object) -> None:
        self.kind = kind
        self.address = address

    def run(self, *statements: str, triggers: bool = False) -> None:
        if self.kind == "postgresql":
            with psycopg.connect(str(self.address)) as connection:
                if not triggers:
                    connection.execute("SET session_replication_role = replica")
                for statement in statements:
                    connection.execute(statement)
            return
        with contextlib.closing(sqlite3.connect(str(self.address))) as connection:
            if not triggers:
                for name, table in connection.execute(
                    "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'"
                ).fetchall():
                    assert table.startswith("audit")
                    connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
            connection.commit()


@pytest.fixture
def intruder(database_kind, database_address) -> Intruder:
    return Intruder(database_kind, database_address)
