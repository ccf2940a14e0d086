"""What keeps lists of audit events as fast beside a million as beside few, whatever they are narrowed by. How fast they
are is measured by bench/audit.py.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from budgets.test_lists import Asked, Statement, installation, without_index
from quarterdeck.kernel.db import Tx

ORGANIZATION, ACTION, LABEL = "organization_id_id", "organization_id_action", "actor_label"
DAYS = "from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z"
LEAD = {
    "/api/audit-events?aggregateId={project}": "aggregate_id_id",
    "/api/audit-events?aggregateId={project}&eventType=project.created": "aggregate_id_id",
    f"/api/audit-events/export?aggregateId={{project}}&{DAYS}": "aggregate_id_id",
    f"/api/audit-events/export-global?{DAYS}": ORGANIZATION,
    f"/api/audit-events/export-global?eventType=project.created&{DAYS}": ACTION,
    "/api/audit": ORGANIZATION,
    "/api/audit?cursor=50": ORGANIZATION,
    "/api/audit?date_from=2026-01-01&date_to=2027-01-01": ORGANIZATION,
    "/api/audit?action=project.created": ACTION,
    "/api/audit?action_prefix=project": ACTION,
    "/api/audit?username=ada@example.com": LABEL,
    "/api/audit?username=ada@example.com&action=project.created": LABEL,
    "/api/audit?user_id=1": "actor",
    "/api/audit?user_id=1&action=project.created": "actor_action",
    "/api/audit?user_id=1&action_prefix=project": "actor_action",
    "/api/admin/audit-logs": ORGANIZATION,
    "/api/admin/audit-logs?actorId=1": "actor",
    "/api/admin/audit-logs?targetType=project": "resource_type",
    "/api/admin/audit-logs?targetType=project&action=project.create": ACTION,
    "/api/admin/audit-logs?targetId={project}": "resource_id",
    "/api/admin/audit-logs?targetType=project&targetId={project}&actorId=1": "resource_id",
    "/api/admin/audit-logs?from=2026-01-01&q=shop": ORGANIZATION,
    "/api/v1/audit-events": ORGANIZATION,
    "/api/v1/audit-events?actor=system": "actor",
    "/api/v1/audit-events?actor=anonymous": "actor",
    "/api/v1/audit-events?resource=project:{project}": "resource_id",
    "/api/v1/audit-events?correlation_id=00000000-0000-7000-8000-000000000001": "correlation_id",
    "/api/v1/audit-events?since=2026-01-01T00:00:00Z&action=project.created": ACTION,
    "/console/audit?outcome=denied": "outcome",
    "/console/audit?actor=ada@example.com&outcome=failure": "outcome",
    "/console/audit?action=project": ACTION,
}  # fmt: skip
"""The index that leads a list to its events."""


@pytest.fixture
def server(database_kind: str, request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("postgresql") if database_kind == "postgresql" else None


def led(asked: Asked, said: list[Statement]) -> tuple[set[str], set[str]]:
    """Indexes that SQLite uses for what it looks for among events, and what it sorts."""
    found: set[str] = set()
    sorted_: set[str] = set()

    def explain(tx: Tx) -> None:
        for statement, parameters in said:
            if "FROM audit_events" not in statement:
                continue
            steps: list[Any] = [*tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for step in steps:
                if use := re.search(r"audit_events USING (?:COVERING )?INDEX ix_audit_events_(\w+)", step[-1]):
                    found.add(use[1])
                if "TEMP B-TREE" in step[-1]:
                    sorted_.add(statement)

    asked.instance.db.read_sync(explain)
    return found - {"at"}, sorted_


async def test_each_filter_is_led_by_its_index_and_nothing_is_read_from_end_to_end(database_kind, server, tmp_path):
    async with installation(tmp_path / "data", database_kind, server, 90) as asked:
        astray = {}
        for route, index in LEAD.items():
            said = await asked.get(route)
            assert any("audit_events" in statement for statement, _ in said), route
            if scanned := without_index(asked.instance, said):
                astray[route] = scanned
            elif database_kind == "sqlite":
                indexes, sorts = led(asked, said)
                if index not in indexes or indexes - {index, ACTION, ORGANIZATION} or sorts:
                    astray[route] = {*indexes, *sorts}
    assert astray == {}


async def test_a_list_asks_as_often_beside_many_events_as_beside_few(database_kind, server, tmp_path):
    found = []
    for count in (12, 90):
        async with installation(tmp_path / str(count), database_kind, server, count) as asked:
            found.append({route: len(await asked.get(route)) for route in LEAD})
    assert found[0] == found[1]
    assert max(found[1].values()) <= 25  # a page of the console counts what waits for its reader besides
