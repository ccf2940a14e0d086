"""Chat bots for administrators, and the token by which somebody shows who they are in a chat."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify.bots import bindings, bots, links
from quarterdeck.notify.bots.model import Binding, Bot
from quarterdeck.surfaces.chat import actions
from quarterdeck.surfaces.shared.mail_links import base
from quarterdeck.surfaces.shared.values import given
from quarterdeck.surfaces.tasks.shapes import cut, developer, number, position
from quarterdeck.surfaces.tasks.wire import bots as wire
from quarterdeck.surfaces.tasks.wire.developers import Developer
from quarterdeck.surfaces.tasks.wire.lists import Paging
from quarterdeck.surfaces.tasks.wire.profile import Success

MANAGE = "tasks:bots.manage"
MISSING = (404, "bot_not_found")
WRONG = ((400, "validation_error"), (400, "address_not_allowed"), (409, "bot_exists"))
GUESSES = Rate(20, 60)
"""Tokens of one address a minute."""
WEBHOOK = {"slack": "/webhook/slack/events", "lark": "/webhook/lark"}


def _item(row: Bot, count: int, address: str) -> wire.Bot:
    return wire.Bot(
        id=row.id,
        platform=row.platform,  # type: ignore[arg-type]  # one of the platforms
        app_id=row.app_id,
        name=row.name,
        enabled=row.enabled,
        webhook_url=address + WEBHOOK[row.platform],
        has_encrypt_key=row.encrypt_key is not None,
        api_url=row.api_url,
        binding_count=count,
        created_at=wire_time(row.created_at),
    )


def _one(tx: Tx, row: Bot, address: str) -> wire.Bot:
    return _item(row, bots.bound(tx, [row]).get(row.id, 0), address)


def _binding(row: Binding) -> wire.Binding:
    return wire.Binding(
        id=row.id,
        bot_id=row.bot_id,
        platform_chat_id=row.platform_chat_id,
        project_key=row.project_key,
        chat_name=row.chat_name,
        created_at=wire_time(row.created_at),
    )


def _secret(value: Any) -> Secret[str] | None:
    """None for what was left out; null is the empty text, which takes a value away where one may be missing."""
    return None if value is UNSET else Secret(value or "")


def _listed(tx: Tx, bot: Bot | None, query: Paging) -> wire.Bindings:
    found, total = bindings.page(tx, bot, position(query), query.limit + 1)
    rows, cursor = cut(found, lambda row: row.id, query)
    return wire.Bindings(items=[_binding(row) for row in rows], next_cursor=cursor, total=total)


@route("GET", "/api/admin/bots", permission=MANAGE)
async def index(call: Call, query: Paging) -> wire.Bots:
    """The organization's bots, newest first."""
    address = base(call)

    def verb(tx: Tx) -> wire.Bots:
        found, total = bots.page(tx, position(query), query.limit + 1)
        rows, cursor = cut(found, lambda row: row.id, query)
        counts = bots.bound(tx, rows)
        items = [_item(row, counts.get(row.id, 0), address) for row in rows]
        return wire.Bots(items=items, next_cursor=cursor, total=total)

    return await call.read(verb)


@route("POST", "/api/admin/bots", permission=MANAGE, status=201, errors=(*WRONG, (409, "too_many_bots")))
async def create(call: Call, body: wire.BotCreate) -> wire.Bot:
    """Register a bot; its secrets are sealed, and shown to nobody from here on."""
    address = base(call)

    def verb(tx: Tx) -> wire.Bot:
        made = bots.create(
            tx,
            platform=body.platform,
            app_id=body.app_id,
            name=body.name,
            app_secret=Secret(body.app_secret),
            webhook_token=Secret(body.webhook_token),
            encrypt_key=_secret(body.encrypt_key),
            api_url=given(body.api_url),
        )
        return _one(tx, made, address)

    return await call.write(verb)


@route("GET", "/api/admin/bots/all-bindings", permission=MANAGE)
async def all_bindings(call: Call, query: Paging) -> wire.Bindings:
    """The bindings of all bots of the organization."""
    return await call.read(lambda tx: _listed(tx, None, query))


@route(
    "PUT",
    "/api/admin/bots/{id}",
    permission=MANAGE,
    shadowed={"id": "all-bindings"},
    errors=(*WRONG, MISSING, (400, "bot_secret_required")),
)
async def change(call: Call, id: str, body: wire.BotChange) -> wire.Bot:  # noqa: A002 - the name of the parameter
    """Change what is given."""
    address = base(call)

    def verb(tx: Tx) -> wire.Bot:
        row = bots.change(
            tx,
            bots.find(tx, number(id)),
            platform=given(body.platform),
            app_id=given(body.app_id),
            name=given(body.name),
            enabled=given(body.enabled),
            api_url=None if body.api_url is UNSET else body.api_url or "",
            app_secret=_secret(body.app_secret),
            webhook_token=_secret(body.webhook_token),
            encrypt_key=_secret(body.encrypt_key),
        )
        return _one(tx, row, address)

    return await call.write(verb)


@route("DELETE", "/api/admin/bots/{id}", permission=MANAGE, shadowed={"id": "all-bindings"}, errors=(MISSING,))
async def remove(call: Call, id: str) -> Success:  # noqa: A002 - the name of the parameter
    """Delete a bot with its bindings."""
    await call.write(lambda tx: bots.remove(tx, bots.find(tx, number(id))))
    return Success()


@route(
    "GET",
    "/api/admin/bots/{id}/bindings",
    permission=MANAGE,
    shadowed={"id": "all-bindings"},
    errors=(MISSING,),
)
async def bound(call: Call, id: str, query: Paging) -> wire.Bindings:  # noqa: A002 - the name of the parameter
    """The chats that a bot is bound to projects in."""
    return await call.read(lambda tx: _listed(tx, bots.find(tx, number(id)), query))


@route(
    "POST",
    "/api/admin/bots/{id}/bindings",
    permission=MANAGE,
    status=201,
    shadowed={"id": "all-bindings"},
    errors=((400, "validation_error"), MISSING, (404, "project_not_found"), (409, "chat_bound")),
)
async def bind(call: Call, id: str, body: wire.BindingCreate) -> wire.Binding:  # noqa: A002 - the name of the parameter
    """Bind a chat to the project that it means when it names none."""

    def verb(tx: Tx) -> wire.Binding:
        bot = bots.find(tx, number(id))
        key = actions.project(tx, body.project_key)
        return _binding(bindings.bind(tx, bot, body.platform_chat_id, key, given(body.chat_name)))

    return await call.write(verb)


@route(
    "DELETE",
    "/api/admin/bots/{id}/bindings",
    permission=MANAGE,
    shadowed={"id": "all-bindings"},
    errors=((400, "binding_not_named"), MISSING, (404, "binding_not_found")),
)
async def unbind(
    call: Call,
    id: str,  # noqa: A002 - the name of the parameter
    query: wire.BindingNamed,
    body: wire.BindingNamed,
) -> Success:
    """Delete a binding, named by `bindingId` or `platformChatId`, in the query or in the body; the query goes first."""
    row_id, chat = given(query.binding_id), given(query.platform_chat_id)
    if row_id is None and chat is None:
        row_id, chat = given(body.binding_id), given(body.platform_chat_id)
    await call.write(lambda tx: bindings.unbind(tx, bots.find(tx, number(id)), row_id, chat))
    return Success()


@route(
    "POST",
    "/api/web/profile/bind-platform",
    permission="tasks:profile.own",
    whole=True,
    rate=GUESSES,
    errors=((403, "token_narrowed"), (409, "platform_uid_taken"), (410, "platform_link_expired")),
)
async def bind_platform(call: Call, body: wire.PlatformToken) -> Developer:
    """Be known by the account of a chat whose bot has given this token to it."""
    return await call.write(lambda tx: developer(tx, links.bind(tx, body.token)))
