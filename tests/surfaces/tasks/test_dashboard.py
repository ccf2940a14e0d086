"""What goes on, in the projects that somebody sees."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quarterdeck.kernel import events
from quarterdeck.tasks.work.model import Task
from support import task_rows

ADMIN, DASHBOARD = "/api/admin/projects", "/api/web/dashboard"
NOTHING = {
    "activeTasks": 0, "queuedTasks": 0, "suspendedTasks": 0, "onlineMachines": 0, "onlineWorkers": 0,
    "totalMachines": 0, "drainingMachines": 0, "completedToday": 0, "failedToday": 0, "slotsUsed": 0, "slotsTotal": 0,
}  # fmt: skip


@pytest.fixture
async def carol(crew):
    """A member of SHOP and none of DOCS."""
    for key in ("SHOP", "DOCS"):
        body = {"key": key, "name": key, "repoUrl": "https://git.example.com/a.git"}
        await crew.ok("POST", ADMIN, body, status=201)
    who, token = await crew.person("carol", "tasks:developer")
    await crew.ok("POST", f"{ADMIN}/SHOP/members", {"developerId": who}, status=201)
    return token


async def test_numbers_are_those_of_what_somebody_sees(crew, carol):
    for token in ("", carol):
        assert await crew.ok("GET", f"{DASHBOARD}/stats", token=token) == NOTHING

    def happen(tx):
        yesterday = tx.now - timedelta(days=1, minutes=1)
        for key, status in (
            ("SHOP", "queued"), ("SHOP", "assigned"), ("SHOP", "running"), ("SHOP", "suspended"), ("SHOP", "completed"),
            ("SHOP", "failed"), ("SHOP", "cancelled"), ("DOCS", "queued"), ("DOCS", "running"), ("DOCS", "completed"),
        ):  # fmt: skip
            task_rows.task(tx, key, status=status)
        task_rows.task(tx, "SHOP", status="completed", finished_at=yesterday)
        task_rows.machine(tx, "kestrel", slots=3, used=1)
        task_rows.machine(tx, "heron", online=False, slots=5)

    await crew.db.write(happen)
    machines = {"onlineMachines": 1, "onlineWorkers": 1, "totalMachines": 2, "slotsUsed": 1, "slotsTotal": 3}
    assert await crew.ok("GET", f"{DASHBOARD}/stats") == {
        **NOTHING, **machines, "activeTasks": 3, "queuedTasks": 2, "suspendedTasks": 1, "completedToday": 2,
        "failedToday": 1,
    }  # fmt: skip
    assert await crew.ok("GET", f"{DASHBOARD}/stats", token=carol) == {
        **NOTHING, **machines, "activeTasks": 2, "queuedTasks": 1, "suspendedTasks": 1, "completedToday": 1,
        "failedToday": 1,
    }  # fmt: skip


async def test_another_organization_counts_nothing_of_this_one(crew, carol):
    def happen(tx):
        task_rows.task(tx, "SHOP", "Began.", status="running")
        task_rows.machine(tx, "kestrel")

    await crew.db.write(happen)
    _, eve = await crew.person("eve", "tasks:admin", organization="org_elsewhere")
    assert await crew.ok("GET", f"{DASHBOARD}/stats", token=eve) == NOTHING
    for name in ("recent-tasks", "recent-activity"):
        assert await crew.ok("GET", f"{DASHBOARD}/{name}", token=eve) == {"items": [], "nextCursor": None, "total": 0}


async def test_the_newest_tasks_are_whole(crew, carol):
    ids = [await crew.db.write(task_rows.task, key) for key in ("SHOP", "DOCS", "SHOP")]
    everything = await crew.ok("GET", f"{DASHBOARD}/recent-tasks")
    assert [(one["id"], one["projectKey"]) for one in everything["items"]] == [
        (ids[2], "SHOP"), (ids[1], "DOCS"), (ids[0], "SHOP")
    ]  # fmt: skip
    mine = await crew.ok("GET", f"{DASHBOARD}/recent-tasks", token=carol)
    assert [one["id"] for one in mine["items"]] == [ids[2], ids[0]]
    one = await crew.ok("GET", f"{DASHBOARD}/recent-tasks", params={"limit": 1}, token=carol)
    assert ([task["id"] for task in one["items"]], one["total"]) == ([ids[2]], 1)
    task = one["items"][0]
    assert (task["developerName"], task["status"], task["pipeline"]) == ("ada", "queued", task_rows.PIPELINE)
    for wrong in (0, 101, "x"):
        answer = await crew.send("GET", f"{DASHBOARD}/recent-tasks", params={"limit": wrong})
        assert answer.status_code == 400


async def test_what_happened_last_comes_first_whenever_its_task_was_made(crew, carol):
    async def begun(key, told, **given):
        return await crew.db.write(task_rows.task, key, told, **given)

    old = await begun("SHOP", "Old began.", status="running")
    docs = await begun("DOCS", "Docs ended.", status="completed")
    await begun("SHOP", "Shop waits.")
    await begun("SHOP", "Shop failed.", status="failed")

    def go_on(tx):
        task = tx.get(Task, old)
        task.updated_at = tx.now
        data = {"message": "Old went on.", "actor": "ada"}
        events.append(tx, f"task:{old}", "stage_change", data, organization_id=task.organization_id)
        events.append(tx, f"task:{old}", "log", {"message": "noise"}, organization_id=task.organization_id)

    await crew.db.write(go_on)
    found = (await crew.ok("GET", f"{DASHBOARD}/recent-activity"))["items"]
    assert [one["message"] for one in found] == [
        "Old went on.", "Shop failed.", "Shop waits.", "Docs ended.", "Old began."
    ]  # fmt: skip
    assert {key: found[0][key] for key in found[0] if key not in {"id", "createdAt"}} == {
        "type": "stage_change", "actor": "ada", "projectKey": "SHOP", "taskId": old, "message": "Old went on."
    }  # fmt: skip
    assert docs in {one["taskId"] for one in found}
    mine = (await crew.ok("GET", f"{DASHBOARD}/recent-activity", token=carol, params={"limit": 3}))["items"]
    assert [one["message"] for one in mine] == ["Old went on.", "Shop failed.", "Shop waits."]
