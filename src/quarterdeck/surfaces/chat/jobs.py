"""The job that does what somebody has said to a bot: the platform was answered long before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from quarterdeck.access import Access
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.notify.bots import posting, received
from quarterdeck.notify.bots.bots import Login
from quarterdeck.notify.bots.model import Bot
from quarterdeck.surfaces.chat import actions, commands, people
from quarterdeck.surfaces.chat.commands import LINES, Reply
from quarterdeck.surfaces.chat.grammar import parse
from quarterdeck.surfaces.chat.reading import Message, Pressed

KIND = "chat.handle"
TRIES = 5


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What was said lies sealed by `uid`; `digest` is the message's in `received`."""

    uid: str
    bot_id: int
    digest: str
    sealed: str


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two."""

    message: Message | None = None
    pressed: Pressed | None = None

    @property
    def heard(self) -> Message | Pressed:
        found = self.message or self.pressed
        assert found is not None  # noqa: S101 - made with one of them
        return found


def accept(tx: Tx, bot: Login, heard: Message | Pressed) -> bool:
    """Keep what was said to be done, once. Answers whether it is new."""
    if not received.first(tx, bot.id, heard.id):
        return False
    uid = tx.ids.uid()
    said = Said(message=heard) if isinstance(heard, Message) else Said(pressed=heard)
    sealed = tx.vault.seal("jobs", uid, "said", msgspec.json.encode(said).decode())
    task = Task(uid=uid, bot_id=bot.id, digest=received.digest(bot.id, heard.id), sealed=sealed)
    needs = frozenset({jobs.SERVER})
    jobs.enqueue(tx, jobs.Enqueue(KIND, task, bot.organization_id, capabilities=needs, max_attempts=TRIES))
    return True


@jobs.server_handlers.register(KIND)
async def run(context: jobs.JobContext, instance: Any) -> dict[str, Any]:
    """Do it, and enqueue the answer in the same unit; what was done once is not done again."""
    task = context.read(Task)
    said = msgspec.json.decode(instance.vault.open("jobs", task.uid, "said", task.sealed).reveal(), type=Said)
    heard = said.heard
    lines: list[str] | Problem | None = None
    if isinstance(heard, Message):
        lines = await _lines(instance, task, heard)
    return {"done": await instance.db.write(handle, instance.access, task, heard, lines)}


async def _lines(instance: Any, task: Task, heard: Message) -> list[str] | Problem | None:
    """The output that a message asks for, read outside of units; None where it asks for none."""
    try:
        command = parse(heard.text)
        if command.spec.name != "logs":
            return None
        principal = await instance.db.read(_asks, instance.access, task, heard, command.spec.permission)
        return list(await actions.wired().logs(instance, principal, command.task, LINES))
    except Problem as problem:
        return problem


def _asks(tx: Tx, access: Access, task: Task, heard: Message, permission: str | None) -> Any:
    bot = tx.get(Bot, task.bot_id)
    assert bot is not None  # noqa: S101 - a job of a bot that is gone finds no sender
    user = people.sender(tx, bot.organization_id, heard.sender)
    principal = people.act_as(tx, user, bot.organization_id, bot.uid)
    commands.require(tx, access, permission)
    return principal


def handle(tx: Tx, access: Access, task: Task, heard: Message | Pressed, lines: list[str] | Problem | None) -> bool:
    """One unit: what was asked for and the answer. A refusal undoes what was begun, and is the answer."""
    bot = tx.get(Bot, task.bot_id)
    if bot is None or not bot.enabled or not received.once(tx, task.digest):
        return False
    before = tx.context
    try:
        if isinstance(lines, Problem):
            raise lines
        with tx.savepoint():
            reply = (
                commands.perform(tx, access, bot, heard, lines)
                if isinstance(heard, Message)
                else commands.press(tx, access, bot, heard)
            )
    except Problem as problem:
        reply = commands.said(problem)
    finally:
        tx.context = before
    if reply is not None:
        only = heard.sender if reply.alone and not (isinstance(heard, Message) and heard.direct) else None
        posting.say(tx, bot.id, bot.organization_id, heard.chat_id, reply.text, only=only)
    return True


def _describe(_tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
    return {job.id: jobs.About(job.kind, details={"bot": job.read(Task).bot_id}) for job in some}


jobs.kinds.register(
    jobs.JobKind(
        KIND,
        payload=Task,
        lane="urgent",
        lease_seconds=30,
        backoff_seconds=2,
        capabilities=frozenset({jobs.SERVER}),
        work=jobs.Work("system", "Chat command", _describe),
    )
)
__all__ = ["KIND", "Reply", "Task", "accept", "handle", "run"]
