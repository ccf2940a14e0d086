"""What people say to a task while it lives: follow-ups, given to its agent in order."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select, update

from quarterdeck.access import Access
from quarterdeck.identity.model import User
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.text import lines
from quarterdeck.tasks.actions import TasksAction
from quarterdeck.tasks.orders import FollowUp, MessagesAnswer
from quarterdeck.tasks.work.finding import find, require_answerer
from quarterdeck.tasks.work.happenings import happened, tell
from quarterdeck.tasks.work.holding import held
from quarterdeck.tasks.work.model import FollowUpMessage, Task
from quarterdeck.tasks.work.transitions import LIVE

LONGEST = 20_000
BATCH = 50


def send(tx: Tx, access: Access, task_id: int | None, text: str) -> FollowUpMessage:
    """Say something more to a task that lives. Raises `NotFound`, `Forbidden`, `Invalid`, `Conflict` (`task_ended`,
    `task_delivering`).
    """
    found = find(tx, access, task_id)
    require_answerer(tx, access, found, "send messages to")
    said = lines(text, "text", LONGEST)
    if not said:
        raise Invalid("The message is empty.", hint="Say what the agent shall know.", field="text")
    task = held(tx, found.id)
    if task.status not in LIVE:
        raise Conflict(
            f"Task #{task.id} is {task.status} and hears nothing any more.",
            code="task_ended",
            hint="Create a new task, or retry this one if it failed.",
        )
    if task.messages_until is not None:
        raise Conflict(
            f"Task #{task.id} is being delivered, and its agent hears nothing any more.",
            code="task_delivering",
            hint="Wait for its end; create a new task for more, or retry this one if it fails.",
        )
    message = tx.add(
        FollowUpMessage(uid=tx.ids.uid(), task_id=task.id, text=said, author_id=tx.principal.id, created_at=tx.now)
    )
    happened(tx, task, "log", f"{tx.principal.label} wrote a message.", messageId=message.id)
    tell(tx, task, "message", {"id": message.id})
    audit.record(
        tx,
        TasksAction.MESSAGED,
        resource_type="task",
        resource_id=str(task.id),
        detail={"message": message.id, "characters": len(said)},
    )
    return message


def listed(
    tx: Tx, access: Access, task_id: int | None, before: int | None, limit: int
) -> tuple[list[FollowUpMessage], int]:
    """A page of the messages of a task, newest first, and how many there are."""
    task = find(tx, access, task_id)
    mine = FollowUpMessage.task_id == task.id
    query = select(FollowUpMessage).where(mine)
    if before is not None:
        query = query.where(FollowUpMessage.id < before)
    total = int(tx.execute(select(func.count(FollowUpMessage.id)).where(mine)).scalar_one())
    return list(tx.scalars(query.order_by(FollowUpMessage.id.desc()).limit(limit))), total


def asked(
    tx: Tx, task: Task, after: int, heard_before: datetime | None = None, *, last: bool = False
) -> MessagesAnswer:
    """What an attempt has not been given yet. What it has, by its own word, is kept as delivered. An agent that goes on
    with its session knows what it was given before (`heard_before`); a new one is given all. `last`: where there is
    nothing the attempt asks no more, and no message is taken for it from then on.
    """
    tx.execute(
        update(FollowUpMessage)
        .where(FollowUpMessage.task_id == task.id, FollowUpMessage.id <= after, FollowUpMessage.delivered_at.is_(None))
        .values(delivered_at=tx.now)
    )
    query = select(FollowUpMessage).where(FollowUpMessage.task_id == task.id, FollowUpMessage.id > after)
    if heard_before is not None:
        new = or_(FollowUpMessage.delivered_at.is_(None), FollowUpMessage.delivered_at >= heard_before)
        query = query.where(new)
    found = list(tx.scalars(query.order_by(FollowUpMessage.id).limit(BATCH)))
    if last and not found:
        close(tx, task)
    return MessagesAnswer(
        messages=tuple(FollowUp(id=one.id, text=one.text, by=author(tx, one.author_id)) for one in found)
    )


def close(tx: Tx, task: Task) -> None:
    """What is sent from now on would reach nobody."""
    task.messages_until = task.messages_until or tx.now


def author(tx: Tx, user_id: int) -> str:
    user = tx.get(User, user_id)
    return user.username if user is not None else "somebody who is gone"
