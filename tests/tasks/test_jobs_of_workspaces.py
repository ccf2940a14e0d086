"""The jobs of a worker with real workspaces: carrying a tunnel, removing a worktree."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import httpx
from sqlalchemy import select

from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.orders import WorkspaceReport
from quarterdeck.tasks.tunnels import handler
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import cleaning, keeping, retention
from quarterdeck.tasks.workspaces.workspaces import Workspaces
from support import kept_workspaces as made


async def until(crew, task: int, wanted) -> dict:
    """What the first tunnel event of a task says that is wanted."""
    async with asyncio.timeout(90):
        async for one in events.follow(crew.deck.instance.bus, crew.db, f"task:{task}"):
            if one.type == "tunnel" and wanted(one.data):
                return one.data
    raise AssertionError("the stream ended")


async def test_a_worker_carries_a_tunnel_and_removes_the_worktree_later(crew, tmp_path):
    root = tmp_path / "workspaces"

    def set_up(tx: Tx) -> int:
        ada = tx.one(select(User).where(User.username == "ada"), what="ada")
        home = tx.one(select(Organization).order_by(Organization.id).limit(1), what="home")
        task = made.task(tx, made.project(tx, home.id, "WEB"), ada.id)
        tree = root / "web-0" / "tasks" / f"task-{task.id}"
        tree.mkdir(parents=True)
        (tree / "file").write_bytes(b"x" * 1000)
        keeping.made(
            tx, task, None, WorkspaceReport(path=str(tree), branch="b", base_branch="main", head_commit="a" * 40)
        )
        return task.id

    task = await crew.db.write(set_up)
    tree = root / "web-0" / "tasks" / f"task-{task}"
    workspaces = Workspaces(root)
    cleaning.register(jobs.worker_handlers, workspaces)
    handler.register(jobs.worker_handlers, workspaces)
    base = f"/api/web/workspace-tunnel/{task}"
    await crew.ok("POST", f"{base}/start", {"kind": "built-in"}, status=202)
    prompt = (await until(crew, task, lambda said: said.get("authPrompt")))["authPrompt"]
    where, _, code = prompt.partition("log into ")[2].partition(" and use code ")
    async with httpx.AsyncClient() as client:
        await client.get(where, params={"code": code})
        url = (await until(crew, task, lambda said: said["state"] == "CONNECTED"))["url"]
        assert (await client.get(url)).json()["directory"] == str(tree)
    assert (await crew.ok("POST", f"{base}/stop", {}))["state"] == "CLOSING"
    await until(crew, task, lambda said: said["state"] == "CLOSED")

    def end(tx: Tx) -> int:
        row = tx.get(Task, task)
        row.status, row.finished_at = "completed", tx.now - timedelta(hours=73)
        tx.flush()
        assert retention.sweep(tx) == 1
        return jobs.find(tx, kind=cleaning.CLEAN).id

    ended = await crew.deck.instance.jobs.wait(await crew.db.write(end), 90)
    assert (ended.state, ended.error_message) == ("succeeded", None)
    assert 1000 <= json.loads(ended.result)["removed"] < 100_000  # its directories count as well
    assert not tree.exists()
    assert (await crew.ok("GET", f"/api/web/workspaces/{task}"))["exists"] is False
