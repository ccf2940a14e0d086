"""Agent tasks, as people ask for them, answer them and end them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.orders import GateReport
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work import finishing, gates
from quarterdeck.tasks.work.holding import held
from quarterdeck.tasks.work.transitions import ASSIGNED, RUNNING, move
from quarterdeck.workspace.model import Project
from support.acts import Act, Stage, act


async def project(stage: Stage) -> str:
    """The key of a project that tasks can be made in."""
    key = stage.name("tasks")

    def verb(tx: Tx) -> None:
        place = tx.one(select(Organization).where(Organization.ref == stage.organization), what="organization")
        row = tx.add(
            Project(
                uid=tx.ids.uid(), ref=tx.ids.ref("prj"), organization_id=place.id, name=key, slug=key,
                created_at=tx.now,
            )
        )  # fmt: skip
        tx.add(
            TaskProject(
                uid=tx.ids.uid(), project_id=row.id, organization_id=place.id, key=key, default_branch="main",
                repo_url="https://git.example.com/a.git", merge_requests=True, created_at=tx.now,
            )
        )  # fmt: skip

    await stage.write(verb)
    return key


async def task(stage: Stage) -> dict[str, str]:
    body = {"projectKey": await project(stage), "description": stage.name("change")}
    return {"id": str((await stage.ok("POST", "/api/web/tasks", body))["id"])}


async def begun(stage: Stage, then: Any) -> dict[str, str]:
    """A task that runs, as far as its row says, and what becomes of it."""
    where = await task(stage)

    def verb(tx: Tx) -> None:
        row = held(tx, int(where["id"]))
        move(tx, row, ASSIGNED, "It is given to a machine.")
        move(tx, row, RUNNING, "It runs.")
        then(tx, row)

    await stage.write(verb)
    return where


@act("POST /api/web/tasks")
async def create(stage: Stage) -> Act:
    return Act(body={"projectKey": await project(stage), "description": stage.name("change")})


@act("POST /api/web/tasks/{id}/cancel")
async def cancel(stage: Stage) -> Act:
    return Act(await task(stage), {})


@act("POST /api/web/tasks/{id}/retry")
async def retry(stage: Stage) -> Act:
    return Act(await begun(stage, lambda tx, row: finishing.fail(tx, row, "stage_timeout", "It took too long.")), {})


@act("POST /api/web/tasks/{id}/budget")
async def budget(stage: Stage) -> Act:
    return Act(await task(stage), {"budgetUsd": 12.5})


@act("POST /api/web/tasks/{id}/confirm-stage")
async def confirm(stage: Stage) -> Act:
    asked = GateReport(index=0, kind="confirm", prompt="Go on?", seconds=86_400)
    return Act(await begun(stage, lambda tx, row: gates.ask(tx, row, asked)), {"stageIndex": 0, "result": "confirm"})


@act("POST /api/web/tasks/{id}/messages")
async def send(stage: Stage) -> Act:
    return Act(await task(stage), {"text": "Mind the tests."})
