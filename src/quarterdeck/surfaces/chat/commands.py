"""What a bot answers: one command, or one press on a card, in one unit."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.access import Access
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.text import shown
from quarterdeck.notify.bots import bindings, cards, links, posting
from quarterdeck.notify.bots.model import Bot, PostedCard
from quarterdeck.notify.door import Door
from quarterdeck.surfaces.chat import actions, people
from quarterdeck.surfaces.chat.actions import TaskSeen
from quarterdeck.surfaces.chat.grammar import HELP, Command, parse
from quarterdeck.surfaces.chat.reading import Message, Pressed

ANSWER = "tasks:tasks.act"
MOST = 10
LINES = 20


@dataclass(frozen=True, slots=True)
class Reply:
    """`alone`: for the sender's eyes."""

    text: str
    alone: bool = False


def said(problem: Problem) -> Reply:
    """A refusal, to the sender alone, with what to do next."""
    return Reply(f"{problem.message} {problem.hint or ''}".strip(), alone=True)


def require(tx: Tx, access: Access, permission: str | None) -> None:
    """Raises `Forbidden`, as the routes that do the same would."""
    if permission is not None:
        access.load(tx)
        access.require(tx.principal, permission)


def perform(tx: Tx, access: Access, bot: Bot, heard: Message, lines: list[str] | None = None) -> Reply:
    """Carry out what a message says. `lines` were looked up before where it asks for them. Raises `Problem`."""
    command = parse(heard.text)
    name = command.spec.name
    if name == "help":
        return Reply(HELP, alone=True)
    if name == "bind":
        return _bind(tx, bot, heard)
    if name == "info":
        return _info(tx, bot, heard)
    people.act_as(tx, people.sender(tx, bot.organization_id, heard.sender), bot.organization_id, bot.uid)
    require(tx, access, command.spec.permission)
    does = actions.wired()
    if name == "develop":
        made = does.create(
            tx,
            access,
            text=command.text,
            project_key=_project(tx, bot, heard, command),
            machine=command.flags.get("on"),
        )
        posting.remember(tx, bot.id, bot.organization_id, made.id, heard.chat_id)
        return Reply(f"Task #{made.id} of {made.project_key} is {made.status}.")
    if name == "list":
        wanted = command.flags.get("project")
        bound = bindings.of_chat(tx, bot.id, heard.chat_id)
        key = actions.project(tx, wanted) if wanted else (bound.project_key if bound is not None else None)
        rows = does.listed(tx, access, project_key=key, limit=MOST)
        return Reply("\n".join(_row(row) for row in rows) or "There are no tasks.")
    if name == "workspace":
        return Reply(does.workspace(tx, access, command.task))
    if name == "logs":
        return Reply("\n".join(shown(line, 400) for line in lines or []) or "There is no output yet.")
    if name in {"drain", "undrain"}:
        status = does.drain(tx, access, command.text, end=name == "undrain")
        return Reply(f"The machine {shown(command.text, 100)} is {status}.")
    verb = {"progress": does.show, "cancel": does.cancel, "retry": does.retry, "confirm": does.confirm}[name]
    return Reply(_whole(verb(tx, access, command.task)))


def press(tx: Tx, access: Access, bot: Bot, heard: Pressed) -> Reply | None:
    """Answer what a card asks. None: the card itself shows it. Raises `Problem`."""
    row = tx.get(PostedCard, heard.card)
    if row is None or row.bot_id != bot.id or row.chat_id != heard.chat_id:
        return Reply("This card is not known any more.", alone=True)
    user = people.sender(tx, bot.organization_id, heard.sender)
    people.act_as(tx, user, bot.organization_id, bot.uid)
    require(tx, access, ANSWER)
    tx.lock(f"notify-card:{row.organization_id}:{row.subject}")
    tx.session.refresh(row)
    card = posting.content(row)
    if row.settled_at is not None:
        return Reply(f"It was answered before: {row.outcome}", alone=True)
    meant = cards.meant(card, heard.does, heard.text)
    if meant is None:
        return Reply("Write an answer first." if card.kind == "input" else "This card has no such button.", alone=True)
    approved, result = meant
    actions.wired().answer(tx, access, row.task_id, row.subject, approved=approved, result=result)
    outcome = "Rejected" if not approved else {"confirm": "Approved"}.get(card.kind, f"Answered: {shown(result, 200)}")
    posting.settle(tx, row.organization_id, row.subject, f"{outcome} by {user.username}")
    return None


def _project(tx: Tx, bot: Bot, heard: Message, command: Command) -> str:
    """The project that is named, else the one that the chat is bound to."""
    named = command.flags.get("project")
    bound = None if named else bindings.of_chat(tx, bot.id, heard.chat_id)
    key = named or (bound.project_key if bound is not None else None)
    if key is None:
        raise Invalid(
            "No project is named, and this chat is bound to none.",
            code="project_not_named",
            hint="Add --project KEY, or ask an administrator to bind the chat.",
        )
    return actions.project(tx, key)


def _bind(tx: Tx, bot: Bot, heard: Message) -> Reply:
    token = links.issue(tx, bot.id, bot.organization_id, heard.sender)
    where = f"{tx.part(Door).base}/api/web/profile/bind-platform"
    return Reply(
        f"Your token, good once and for ten minutes: {token.reveal()}\n"
        f'Signed in to Quarterdeck, send {{"token": "…"}} to POST {where}.',
        alone=True,
    )


def _info(tx: Tx, bot: Bot, heard: Message) -> Reply:
    known = links.known(tx, bot.organization_id, heard.sender)
    bound = bindings.of_chat(tx, bot.id, heard.chat_id)
    whose = f"linked to {known[0].username}" if len(known) == 1 else "not linked; send `bind`"
    told = [f"Chat: {heard.chat_id}", f"User: {heard.sender} ({whose})"]
    told.append(f"Project: {bound.project_key if bound is not None else 'none'}")
    return Reply("\n".join(told), alone=True)


def _row(task: TaskSeen) -> str:
    return f"#{task.id} {task.project_key} {task.status}: {shown(task.description, 80)}"


def _whole(task: TaskSeen) -> str:
    told = [_row(task)]
    told += [f"Stage: {task.stage}"] if task.stage else []
    told += [f"Machine: {task.machine}"] if task.machine else []
    told += [f"Waits for: {shown(task.waits_for, 300)}"] if task.waits_for else []
    told += [f"Error: {shown(task.error, 300)}"] if task.error else []
    told += [f"Result: {task.result}"] if task.result else []
    return "\n".join(told)
