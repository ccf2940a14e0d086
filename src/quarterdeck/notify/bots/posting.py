"""What bots say, in the unit of what it is about: each message is a job, in order within a chat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select

from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.notify.bots import bindings, bots
from quarterdeck.notify.bots.bots import Login
from quarterdeck.notify.bots.cards import Card
from quarterdeck.notify.bots.model import Bot, PostedCard, Thread

KIND = "chat.send"
TRIES = 6


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Either a text, which lies sealed by `uid` until it is said, or a card or thread (their rows) that is shown as it
    is when the job runs.
    """

    uid: str
    bot_id: int
    chat_id: str
    sealed: str = ""
    only: str | None = None
    card_id: int | None = None
    thread_id: int | None = None


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """What a job says: `message_id` is the message that is edited, None for a new one."""

    said: str | Card
    row: int = 0
    message_id: str | None = None


def say(tx: Tx, bot_id: int, organization_id: int, chat_id: str, text: str, *, only: str | None = None) -> None:
    """Say a text in a chat, or to one person there alone."""
    uid = tx.ids.uid()
    sealed = tx.vault.seal("jobs", uid, "text", text)
    _enqueue(tx, Task(uid=uid, bot_id=bot_id, chat_id=chat_id, sealed=sealed, only=only), organization_id)


def remember(tx: Tx, bot_id: int, organization_id: int, task_id: int, chat_id: str) -> Thread:
    """Keep that a task began in a chat: that chat is told how it goes on."""
    known = tx.first(
        select(Thread).where(
            Thread.organization_id == organization_id,
            Thread.task_id == task_id,
            Thread.bot_id == bot_id,
            Thread.chat_id == chat_id,
        )
    )
    return known or tx.add(
        Thread(
            uid=tx.ids.uid(),
            organization_id=organization_id,
            task_id=task_id,
            bot_id=bot_id,
            chat_id=chat_id,
            message_id=None,
            text=None,
            created_at=tx.now,
        )
    )


def threads(tx: Tx, organization_id: int, task_id: int) -> list[Thread]:
    query = select(Thread).join(Bot, Bot.id == Thread.bot_id)
    here = (Thread.organization_id == organization_id, Thread.task_id == task_id, Bot.enabled.is_(True))
    return list(tx.scalars(query.where(*here).order_by(Thread.id)))


def tell_task(tx: Tx, organization_id: int, task_id: int, title: str, body: str) -> None:
    """Say something new in the chats that a task began in."""
    for thread in threads(tx, organization_id, task_id):
        say(tx, thread.bot_id, organization_id, thread.chat_id, f"{title}\n{body}" if body else title)


def progress(tx: Tx, organization_id: int, task_id: int, text: str) -> None:
    """Show how a task stands in the chats that it began in, by editing the message that showed it before."""
    for thread in threads(tx, organization_id, task_id):
        if thread.text != text:
            thread.text = text
            tx.flush()
            task = Task(uid=tx.ids.uid(), bot_id=thread.bot_id, chat_id=thread.chat_id, thread_id=thread.id)
            _enqueue(tx, task, organization_id)


def ask(
    tx: Tx,
    organization_id: int,
    card: Card,
    *,
    task_id: int,
    project_key: str | None = None,
    expires_at: datetime | None = None,
) -> list[PostedCard]:
    """Put a question into the chats that a task began in and into those that are bound to its project. The same
    question (its subject) stands once in each.
    """
    places = {(one.bot_id, one.chat_id) for one in threads(tx, organization_id, task_id)}
    if project_key is not None:
        bound = bindings.of_project(tx, organization_id, project_key)
        places |= {(one.bot_id, one.platform_chat_id) for one in bound}
    asked = {(one.bot_id, one.chat_id) for one in cards(tx, organization_id, card.subject)}
    made = []
    for bot_id, chat_id in sorted(places - asked):
        row = tx.add(
            PostedCard(
                uid=tx.ids.uid(),
                organization_id=organization_id,
                bot_id=bot_id,
                chat_id=chat_id,
                subject=card.subject,
                task_id=task_id,
                content=msgspec.to_builtins(card),
                message_id=None,
                outcome=None,
                created_at=tx.now,
                expires_at=expires_at,
                settled_at=None,
            )
        )
        _show(tx, [row])
        made.append(row)
    return made


def settle(tx: Tx, organization_id: int, subject: str, outcome: str) -> None:
    """Show on every card of a question what came of it, and by whom; the first outcome stays."""
    open_ones = [one for one in cards(tx, organization_id, subject) if one.settled_at is None]
    for row in open_ones:
        row.outcome, row.settled_at = outcome, tx.now
    tx.flush()
    _show(tx, open_ones)


def settle_task(tx: Tx, organization_id: int, task_id: int, outcome: str) -> None:
    """Show on every open card of a task what came of it: no question outlives its task."""
    here = (PostedCard.organization_id == organization_id, PostedCard.task_id == task_id)
    waiting = select(PostedCard.subject).where(*here, PostedCard.settled_at.is_(None)).distinct()
    for subject in tx.execute(waiting).scalars().all():
        settle(tx, organization_id, subject, outcome)


def cards(tx: Tx, organization_id: int, subject: str) -> list[PostedCard]:
    here = (PostedCard.organization_id == organization_id, PostedCard.subject == subject)
    return list(tx.scalars(select(PostedCard).where(*here).order_by(PostedCard.id)))


def content(row: PostedCard) -> Card:
    """The card as it stands."""
    card = msgspec.convert(row.content, Card)
    return msgspec.structs.replace(card, outcome=row.outcome) if row.outcome is not None else card


def _show(tx: Tx, rows: Iterable[PostedCard]) -> None:
    for row in rows:
        task = Task(uid=tx.ids.uid(), bot_id=row.bot_id, chat_id=row.chat_id, card_id=row.id)
        _enqueue(tx, task, row.organization_id)


def _enqueue(tx: Tx, task: Task, organization_id: int) -> None:
    jobs.enqueue(
        tx,
        jobs.Enqueue(
            KIND,
            task,
            organization_id,
            capabilities=frozenset({jobs.SERVER}),
            concurrency_key=f"chat:{task.bot_id}:{task.chat_id}",
            max_attempts=TRIES,
        ),
    )


def ordered(tx: Tx, task: Task) -> tuple[Login, Saying] | None:
    """Who speaks, and what: None where the bot is gone or disabled, and what is gone with it."""
    bot = tx.get(Bot, task.bot_id)
    if bot is None or not bot.enabled:
        return None
    if task.card_id is not None:
        row = tx.get(PostedCard, task.card_id)
        saying = None if row is None else Saying(said=content(row), row=row.id, message_id=row.message_id)
    elif task.thread_id is not None:
        thread = tx.get(Thread, task.thread_id)
        saying = None if thread is None else _progress(thread)
    else:
        saying = Saying(said=tx.vault.open("jobs", task.uid, "text", task.sealed).reveal())
    return None if saying is None else (bots.login(tx, bot), saying)


def _progress(thread: Thread) -> Saying:
    card = Card(kind="note", title=f"Task #{thread.task_id}", text=thread.text or "")
    return Saying(said=card, message_id=thread.message_id)


def kept(tx: Tx, task: Task, message_id: str) -> None:
    """Keep which message shows a card or a thread."""
    row = tx.get(PostedCard, task.card_id) if task.card_id else tx.get(Thread, task.thread_id or 0)
    if row is not None:
        row.message_id = message_id[:200]
        tx.flush()


def _describe(_tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
    return {job.id: jobs.About(job.kind, details=_details(job.read(Task))) for job in some}


def _details(task: Task) -> dict[str, Any]:
    return {"bot": task.bot_id, "chat": task.chat_id}


jobs.kinds.register(
    jobs.JobKind(
        KIND,
        payload=Task,
        lease_seconds=60,
        backoff_seconds=2,
        capabilities=frozenset({jobs.SERVER}),
        work=jobs.Work("system", "Chat message", _describe),
    )
)
