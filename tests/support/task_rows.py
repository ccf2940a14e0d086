"""Rows of tasks and machines as a test wants them, without anybody who works on them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, insert, select

from quarterdeck.identity.model import Organization
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work.model import FollowUpMessage, Gate, StageRun, Task
from quarterdeck.tasks.workspaces.model import Tunnel, Workspace
from support.deck import HOME
from support.enrolled import enrolled

PIPELINE = [{"name": "develop", "command": "/develop {description}"}]
ENDED = ("completed", "failed", "cancelled")


def values(tx: Tx, key: str, number: int = 0, organization: str = HOME, **given: Any) -> dict[str, Any]:
    """Columns of a task of a project; one that has ended ended just now."""
    place = select(Organization.id).where(Organization.ref == organization).scalar_subquery()
    found = select(TaskProject).where(TaskProject.organization_id == place, func.lower(TaskProject.key) == key.lower())
    project = tx.one(found, what=key)
    ended = given.get("status") in ENDED
    return {
        "uid": tx.ids.uid(), "organization_id": project.organization_id, "project_id": project.project_id,
        "description": f"Change number {number}", "status": "queued", "agent_type": "claude", "developer_id": 1,
        "created_by": 1, "source": "web", "priority": 0, "depends_on": [], "branch": "b", "base_branch": "main",
        "pipeline": PIPELINE, "from_stage": 0, "attempt": 0, "input_tokens": 0, "output_tokens": 0,
        "created_at": tx.now, "updated_at": tx.now, "finished_at": tx.now if ended else None, **given,
    }  # fmt: skip


def task(tx: Tx, key: str, told: str = "", **given: Any) -> int:
    """One task; with `told` something happened to it."""
    row = tx.add(Task(**values(tx, key, **given)))
    if told:
        data = {"message": told, "actor": "ada"}
        events.append(tx, f"task:{row.id}", "status_change", data, organization_id=row.organization_id)
    return row.id


def with_everything(tx: Tx, key: str) -> int:
    """A task that failed, with a row in every table that speaks of tasks."""
    number = task(tx, key, status="failed")
    tx.add(StageRun(uid=tx.ids.uid(), task_id=number, position=0, name="develop", status="failed"))
    tx.add(FollowUpMessage(uid=tx.ids.uid(), task_id=number, text="Go on", author_id=1, created_at=tx.now))
    tx.add(Tunnel(task_id=number, kind="vscode", state="CLOSED", updated_at=tx.now))
    tx.add(Workspace(task_id=number, path="/w", branch="b", base_branch="main", updated_at=tx.now))
    organization_id = tx.get(Task, number).organization_id  # type: ignore[union-attr]
    tx.add(
        Gate(
            uid=tx.ids.uid(), task_id=number, organization_id=organization_id, attempt=1, position=0,
            stage_name="develop", kind="confirm", prompt="?", choices=[], asked_at=tx.now, expires_at=tx.now,
        )
    )  # fmt: skip
    return number


def many(tx: Tx, key: str, count: int, **given: Any) -> None:
    first = values(tx, key, **given)
    words = given.get("description", "Change number")
    rows = [{**first, "uid": tx.ids.uid(), "description": f"{words} {number}"} for number in range(count)]
    tx.execute(insert(Task), rows)


def machine(tx: Tx, name: str, *, organization: str = HOME, online: bool = True, slots: int = 2, used: int = 0) -> str:
    place = tx.one(select(Organization).where(Organization.ref == organization), what=organization)
    row = enrolled(tx, ["tasks"], organization_id=place.id, name=name).worker
    row.slots, row.used_slots = slots, used
    if online:
        row.last_seen_at = tx.now
    return row.uid
