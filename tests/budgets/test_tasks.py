"""What the dashboard, the lists of projects and the search of the tasks surface read, among 100,000 tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from quarterdeck.kernel.db import Tx
from support import task_rows
from support.crew import Crew
from support.deck import running, signed_in

ADMIN = "/api/admin/projects"
TASKS, LIVE, TODAY, PROJECTS = 100_000, 300, 500, 20
ROUTES = {
    "/api/web/projects": 1,
    "/api/web/projects/P0": 1,
    "/api/web/dashboard/stats": 1,
    "/api/web/dashboard/recent-tasks": 1,
    "/api/web/dashboard/recent-activity": 1,
    "/api/web/search?q=number%20999": 12,
    "/api/web/search?q=%2399999": 12,
}
"""Each with how many times `READ` it may read: the search looks through thousands of descriptions."""
READ = 1_500
"""Rows of tasks and events, of 100,000 that there are."""
STEPS = 25
"""Instructions of SQLite for a row."""


def filled(tx: Tx) -> None:
    """One task, a hundred thousand times: a few live, some ended today, all others long ago; most in one project."""
    task_rows.many(tx, "P0", 1, status="completed")
    names = list(task_rows.values(tx, "P0"))
    projects = "(SELECT min(project_id) FROM tasks_projects)"
    day = 86_400_000_000
    changed = {
        "uid": "'made-' || n",
        "description": "'Change number ' || n",
        "project_id": f"CASE WHEN n % 4 = 0 THEN {projects} + (n / 4) % {PROJECTS} ELSE {projects} END",
        "status": f"CASE WHEN n <= {LIVE} THEN 'queued' WHEN n % 7 = 0 THEN 'failed' ELSE 'completed' END",
        "updated_at": f"updated_at - n * 1000 - (CASE WHEN n > {LIVE + TODAY} THEN {40 * day} ELSE 0 END)",
        "finished_at": f"CASE WHEN n > {LIVE + TODAY} THEN finished_at - {40 * day} - n * 1000 "
        f"WHEN n > {LIVE} THEN finished_at - n ELSE NULL END",
    }
    # `n` counts down, so that live tasks are the newest.
    counted = (
        f"WITH RECURSIVE counted(n) AS (SELECT {TASKS} UNION ALL SELECT n - 1 FROM counted WHERE n > 1) "
        f"INSERT INTO tasks_tasks ({', '.join(names)}) "
        f"SELECT {', '.join(changed.get(name, name) for name in names)} FROM counted, tasks_tasks"
    )
    tx.execute(counted)
    tx.execute("ANALYZE tasks_tasks")


class Asked:
    """The statements about tasks that are run while it listens."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []
        event.listen(Engine, "before_cursor_execute", self._hear)

    def _hear(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT") and ("tasks_" in statement or "domain_events" in statement):
            self.said.append((statement, parameters))

    def deaf(self) -> None:
        event.remove(Engine, "before_cursor_execute", self._hear)


@pytest.fixture
def asked() -> Iterator[Asked]:
    made = Asked()
    yield made
    made.deaf()


def read_by(tx: Tx, statement: str, parameters: Any) -> int:
    """About how many rows a statement reads."""
    if tx.dialect == "postgresql":
        found = tx.connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar()
        plan = json.loads(found) if isinstance(found, str) else found
        return visited(plan[0]["Plan"])
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    tx.raw.set_progress_handler(count, 100)
    try:
        tx.connection.exec_driver_sql(statement, parameters).fetchall()
    finally:
        tx.raw.set_progress_handler(None, 0)
    return steps * 100 // STEPS


def visited(plan: dict[str, Any]) -> int:
    rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if "Relation Name" in plan else 0
    return int(rows * plan["Actual Loops"]) + sum(visited(one) for one in plan.get("Plans", ()))


async def test_nothing_reads_all_tasks(tmp_path: Path, database_address: Any, asked: Asked) -> None:
    async with running(tmp_path, database_address) as deck:
        crew = Crew(await signed_in(deck))
        for number in range(PROJECTS):
            body = {"key": f"P{number}", "name": f"Project {number}", "repoUrl": "https://git.example.com/a.git"}
            await crew.ok("POST", ADMIN, body, status=201)
        carol, token = await crew.person("carol", "tasks:developer")
        for key in ("P0", "P3"):
            await crew.ok("POST", f"{ADMIN}/{key}/members", {"developerId": carol}, status=201)
        await crew.db.write(filled)
        stats = await crew.ok("GET", "/api/web/dashboard/stats")
        assert (stats["queuedTasks"], stats["completedToday"] + stats["failedToday"] > 0) == (LIVE, True)
        wrong = {}
        for route, share in ROUTES.items():
            for who in ("", token):
                asked.said.clear()
                await crew.ok("GET", route, token=who)
                said = [*asked.said]

                def read(tx: Tx, said: list[tuple[str, Any]] = said) -> int:
                    return sum(read_by(tx, *one) for one in said)

                rows = await crew.db.read(read)
                print(route, bool(who), rows, len(said))  # noqa: T201
                if rows > READ * share:
                    wrong[route, bool(who)] = rows
        assert wrong == {}
