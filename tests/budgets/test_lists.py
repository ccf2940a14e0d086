"""What keeps lists as fast beside many rows as beside few. How fast they are is measured by bench/lists.py."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

sys.path.append(str(Path(__file__).parents[2] / "bench"))

import crowd

from quarterdeck.app import application
from quarterdeck.instance import Instance
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.settings_reading import load
from quarterdeck.kernel.vault import Secret
from support.databases import fresh_database

LISTS = (
    "/api/projects", "/api/environments", "/api/resources", "/api/deployments", "/api/servers",
    "/api/environments?projectId={project}", "/api/resources?projectId={project}",
    "/api/resources?environmentId={environment}", "/api/deployments?projectId={project}",
    "/api/deployments?resourceId={busy}", "/console/projects", "/console/fleet",
)  # fmt: skip
SHOWS = (
    "/api/projects/{project}", "/api/environments/{environment}", "/api/resources/{resource}",
    "/api/resources/{resource}/health", "/api/servers/{server}", "/api/deployments/{deployment}",
    "/api/deployments/{deployment}/recovery-readiness", "/console/jobs?state=failed", "/console/audit",
)  # fmt: skip
TABLES = ("workspace_", "fleet_servers", "deploy_", "jobs", "audit_events", "domain_events")
Statement = tuple[str, Any]


class Asked:
    """An installation whose statements are written down while a route is asked."""

    def __init__(self, instance: Instance, rows: crowd.Crowd, client: httpx.AsyncClient) -> None:
        self.instance = instance
        self.rows = rows
        self.client = client
        self.said: list[Statement] = []
        event.listen(Engine, "before_cursor_execute", self._hear)

    def _hear(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT") and "log_streams" not in statement:
            self.said.append((statement, parameters))

    def deaf(self) -> None:
        event.remove(Engine, "before_cursor_execute", self._hear)

    async def get(self, route: str) -> list[Statement]:
        self.said.clear()
        answer = await self.client.get(self.rows.fill_in(route))
        assert answer.status_code == 200, answer.text
        return [*self.said]


@contextlib.asynccontextmanager
async def installation(data: Path, kind: str, server: str | None, count: int) -> AsyncIterator[Asked]:
    with fresh_database(kind, data.parent, server) as address:
        url = str(address) if kind == "postgresql" else None
        made = await crowd.crowd(data, url, count)
        rows = crowd.Crowd({word: refs[-1:] for word, refs in made.known.items()})  # the same in every run
        instance = Instance.open(
            load({"data_dir": data, "database_url": Secret(url) if url else None, "no_edge": True, "no_worker": True})
        )
        transport = httpx.ASGITransport(application(instance, lifespan=False))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            given = {"email": crowd.USER, "password": crowd.PASSWORD}
            answer = await client.post("/api/auth/login", json=given)
            client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
            asked = Asked(instance, rows, client)
            try:
                yield asked
            finally:
                asked.deaf()
                await instance.close()


def without_index(instance: Instance, said: list[Statement], tables: tuple[str, ...] = TABLES) -> set[str]:
    """Those of some tables that one of the statements would read from end to end, for want of an index."""
    found: set[str] = set()

    def explain(tx: Tx) -> None:
        if tx.dialect == "postgresql":
            tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # what still scans has no other way
        words = "EXPLAIN" if tx.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
        for statement, parameters in said:
            for row in tx.connection.exec_driver_sql(f"{words} {statement}", parameters):
                scan = re.search(r"\bSeq Scan on (\w+)|^SCAN (\w+)\b(?! USING)", str(row[-1]))
                if scan:
                    found.add(scan[1] or scan[2])

    instance.db.read_sync(explain)
    return {table for table in found if table.startswith(tables)}


@pytest.fixture
def server(database_kind: str, request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("postgresql") if database_kind == "postgresql" else None


async def test_a_list_of_many_asks_as_often_as_a_list_of_few(database_kind, server, tmp_path):
    async with installation(tmp_path / "few", database_kind, server, 12) as asked:
        few = {route: len(await asked.get(route)) for route in LISTS}
    async with installation(tmp_path / "many", database_kind, server, 90) as asked:
        many = {route: len(await asked.get(route)) for route in LISTS}
    assert many == few


async def test_no_list_or_show_reads_a_table_from_end_to_end(database_kind, server, tmp_path):
    async with installation(tmp_path / "data", database_kind, server, 90) as asked:
        scanned = {}
        for route in (*LISTS, *SHOWS):
            said = await asked.get(route)
            assert said, route
            if found := without_index(asked.instance, said):
                scanned[route] = found
    assert scanned == {}
