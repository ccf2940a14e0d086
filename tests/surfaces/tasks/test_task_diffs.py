"""What a task changes over the API: as its machine told last, without secrets, for who may see the task."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.orders import DiffReport
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import comparing, diffs
from support import kept_workspaces as made

TOKEN = "glpat-0123456789abcdef"


@pytest.fixture
async def task(crew) -> int:
    def verb(tx: Tx) -> int:
        ada = tx.one(select(User).where(User.username == "ada"), what="ada")
        home = tx.one(select(Organization).order_by(Organization.id).limit(1), what="home")
        of, on = made.project(tx, home.id, "WEB"), made.worker(tx, home.id)
        return made.task(tx, of, ada.id, on).id

    return await crew.db.write(verb)


async def told(crew, task: int, report: DiffReport, secrets: tuple[str, ...] = ()) -> None:
    await crew.db.write(lambda tx: diffs.told(tx, tx.get(Task, task), report, secrets))


async def test_a_diff_is_shown_as_it_was_told_last(crew, task):
    path = f"/api/web/tasks/{task}/diff"
    refused = await crew.ok("GET", path, status=404)
    assert refused["code"] == "TASK_DIFF_NOT_FOUND"
    await told(crew, task, DiffReport(base="a" * 40, index=1, files_changed=1, insertions=1, patch="+first\n"))
    assert (await crew.ok("GET", path))["stageIndex"] == 1
    patch = f"+token = '{TOKEN}'\n+nul \0 here\n"
    report = DiffReport(base="a" * 40, commit="b" * 40, files_changed=2, insertions=3, deletions=1, patch=patch)
    await told(crew, task, report, (TOKEN,))
    shown = await crew.ok("GET", path)
    assert shown.pop("createdAt")
    assert shown == {
        "taskId": task,
        "attempt": shown["attempt"],
        "stageIndex": None,
        "baseCommit": "a" * 40,
        "commitSha": "b" * 40,
        "filesChanged": 2,
        "insertions": 3,
        "deletions": 1,
        "patch": "+token = '****'\n+nul \N{REPLACEMENT CHARACTER} here\n",
        "truncated": False,
    }
    workspace = await crew.ok("GET", f"/api/web/workspaces/{task}")
    assert workspace["diffStat"] == {"filesChanged": 2, "insertions": 3, "deletions": 1}
    _, stranger = await crew.person("eve", "tasks:developer")
    await crew.ok("GET", path, status=404, token=stranger)


async def test_one_that_is_too_large_is_refused_and_an_old_one_goes(crew, task):
    with pytest.raises(Invalid):
        await told(crew, task, DiffReport(base="a", patch="x" * (comparing.MOST + diffs.MARGIN + 1)))
    await told(crew, task, DiffReport(base="a", patch="+x\n"))
    now = await crew.db.read(lambda tx: tx.now)
    assert await crew.db.write(diffs.expire, now + timedelta(days=89)) == 0
    assert await crew.db.write(diffs.expire, now + timedelta(days=91)) == 1
    await crew.ok("GET", f"/api/web/tasks/{task}/diff", status=404)
