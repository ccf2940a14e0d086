"""Which project a chat means when it names none."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.text import one_line
from quarterdeck.notify.actions import NotifyAction
from quarterdeck.notify.bots import bots
from quarterdeck.notify.bots.model import Binding, Bot


def page(tx: Tx, bot: Bot | None, before: int | None, limit: int) -> tuple[Sequence[Binding], int]:
    """So many of a bot, or of all of the caller's organization, newest first, and how many there are."""
    here: list[ColumnElement[bool]] = [Binding.organization_id == tx.principal.acts_in]
    if bot is not None:
        here.append(Binding.bot_id == bot.id)
    query = select(Binding).where(*here)
    if before is not None:
        query = query.where(Binding.id < before)
    rows = list(tx.scalars(query.order_by(Binding.id.desc()).limit(limit)))
    return rows, int(tx.execute(select(func.count()).select_from(Binding).where(*here)).scalar() or 0)


def of_chat(tx: Tx, bot_id: int, chat_id: str) -> Binding | None:
    return tx.first(select(Binding).where(Binding.bot_id == bot_id, Binding.platform_chat_id == chat_id))


def of_project(tx: Tx, organization_id: int, project_key: str) -> list[Binding]:
    """The chats of enabled bots that mean a project."""
    query = select(Binding).join(Bot, Bot.id == Binding.bot_id)
    query = query.where(Binding.organization_id == organization_id, Bot.enabled.is_(True))
    return list(tx.scalars(query.where(Binding.project_key == project_key).order_by(Binding.id)))


def bind(tx: Tx, bot: Bot, chat_id: str, project_key: str, chat_name: str | None) -> Binding:
    """Bind a chat to a project, whose key the caller has looked up. Raises `Conflict` (`chat_bound`), `Invalid`."""
    chat_id = one_line(chat_id, "platformChatId", 200)
    tx.lock(f"notify-bot:{bot.id}")
    if of_chat(tx, bot.id, chat_id) is not None:
        raise Conflict(
            f"The chat {chat_id} is bound to a project already.", code="chat_bound", hint="Delete that binding first."
        )
    row = tx.add(
        Binding(
            uid=tx.ids.uid(),
            bot_id=bot.id,
            organization_id=bot.organization_id,
            platform_chat_id=chat_id,
            project_key=project_key,
            chat_name=None if not chat_name else one_line(chat_name, "chatName", 200),
            created_at=tx.now,
        )
    )
    bots.note(tx, NotifyAction.BOUND, bot, {"platformChatId": chat_id, "projectKey": project_key})
    return row


def unbind(tx: Tx, bot: Bot, number: int | None, chat_id: str | None) -> None:
    """Delete a binding by its number or by its chat. Raises `Invalid` (`binding_not_named`), `NotFound`."""
    if number is None and chat_id is None:
        raise Invalid("Which binding is not said.", code="binding_not_named", hint="Give bindingId or platformChatId.")
    query = select(Binding).where(Binding.bot_id == bot.id)
    if number is not None:
        query = query.where(Binding.id == number)
    if chat_id is not None:
        query = query.where(Binding.platform_chat_id == chat_id)
    row = tx.first(query)
    if row is None:
        raise NotFound("There is no such binding.", code="binding_not_found", hint="Look at the bot's bindings.")
    detail = {"platformChatId": row.platform_chat_id, "projectKey": row.project_key}
    tx.session.delete(row)
    tx.flush()
    bots.note(tx, NotifyAction.UNBOUND, bot, detail)
