"""What people and chats are told of tasks, learned by the events of their streams (contract: tasks §7.3, §7.4).

Owners are told of everything that ends or stops a task, maintainers of the project too where it waits for an answer.
Chats that a task began in show how it stands; cards ask there and in the chats of its project.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from quarterdeck.access.model import Grant
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.text import shown
from quarterdeck.notify import tell
from quarterdeck.notify.bots import posting
from quarterdeck.notify.bots.cards import Card
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.settings import settings as task_settings
from quarterdeck.tasks.work.model import Gate, Task

LATEST = timedelta(days=1)
"""What is older when it is heard of is no news."""
MAINTAINER = "tasks:maintainer"
ENDED = ("completed", "failed", "cancelled")
GATE = "stage_gate"
TYPES = ("status_change", "stage_change", "confirm_requested", "confirm_resolved", "tunnel")
LONGEST = 300


def hear(tx: Tx, event: events.Event) -> None:
    """The durable subscriber: what an event of a task means for people and chats. A task that is gone means nothing."""
    name, _, number = event.stream.partition(":")
    task = tx.get(Task, int(number)) if name == "task" and number.isdigit() else None
    if task is None or event.at < tx.now - LATEST:
        return
    said = shown(" ".join(str(event.data.get("message") or "").split()), LONGEST)
    if event.type == "status_change":
        _moved(tx, task, event, said)
    elif event.type == "stage_change":
        posting.progress(tx, task.organization_id, task.id, said)
    elif event.type == "confirm_requested":
        _asks(tx, task, event, said)
    elif event.type == "confirm_resolved":
        posting.settle(tx, task.organization_id, subject(event.data.get("gateId")), said)
    elif event.data.get("state") == "CONNECTED":
        _tell(tx, task, "tunnel_ready", [task.developer_id], f"The tunnel of task #{task.id} is ready", said)


def subject(gate_id: object) -> str:
    """What the cards of a gate are about."""
    return f"gate:{gate_id}"


def _moved(tx: Tx, task: Task, event: events.Event, said: str) -> None:
    state = str(event.data.get("to"))
    posting.progress(tx, task.organization_id, task.id, said or f"Task #{task.id} is {state}.")
    if state in ENDED:
        posting.settle_task(tx, task.organization_id, task.id, said or f"The task is {state}.")
        title = f"Task #{task.id} is {state}"
        _tell(tx, task, f"task_{state}", [task.developer_id], title, "" if said.rstrip(".") == title else said)
    elif state == "suspended" and event.data.get("reason") != GATE:
        _tell(tx, task, "task_suspended", [task.developer_id], f"Task #{task.id} is suspended", said)


def _asks(tx: Tx, task: Task, event: events.Event, said: str) -> None:
    gate = tx.get(Gate, int(event.data.get("gateId") or 0))
    if gate is None or gate.closed_at is not None or gate.task_id != task.id:
        return  # answered before it was heard of
    kind = "input_required" if gate.kind == "input" else "confirm_required"
    whom = [task.developer_id, *_maintainers(tx, task.project_id)]
    title = f"Task #{task.id} waits at stage {gate.stage_name}"
    _tell(tx, task, kind, whom, title, said, collapse_key=subject(gate.id), chats=False)
    asked = Card(
        kind=gate.kind,  # type: ignore[arg-type]  # one of the kinds
        title=title,
        text=gate.prompt[:2000],
        subject=subject(gate.id),
        choices=tuple(gate.choices),
    )
    posting.ask(
        tx,
        task.organization_id,
        asked,
        task_id=task.id,
        project_key=_key(tx, task),
        expires_at=gate.expires_at,
    )


def _tell(
    tx: Tx,
    task: Task,
    kind: str,
    whom: Sequence[int],
    title: str,
    said: str,
    *,
    collapse_key: str | None = None,
    chats: bool = True,
) -> None:
    """`chats`: the chats that the task began in are told, too; where a card asks, it says the same."""
    tell(
        tx,
        kind,
        whom,
        title,
        said,
        link=f"{_web(tx, task)}/console/tasks/{task.id}",
        task_id=task.id,
        project_key=_key(tx, task),
        organization_id=task.organization_id,
        collapse_key=collapse_key,
        chats=chats,
    )


def _web(tx: Tx, task: Task) -> str:
    """Where people of the organization reach the console, if it says so: else where the control plane is reached."""
    return str(task_settings.of(tx, task.organization_id)["webUrl"] or "").rstrip("/")


def _key(tx: Tx, task: Task) -> str | None:
    return tx.execute(select(TaskProject.key).where(TaskProject.project_id == task.project_id)).scalar()


def _maintainers(tx: Tx, project_id: int) -> Sequence[int]:
    query = select(Grant.user_id).where(Grant.project_id == project_id, Grant.role == MAINTAINER)
    return tx.execute(query).scalars().all()


events.subscribe("task-notifications", TYPES, hear)
