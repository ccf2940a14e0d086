"""Chat bots for their page, with the same commands as the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.access import Access
from quarterdeck.console.views.bots import BotRow, BotsView, ChatRow
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify.bots import bindings, bots
from quarterdeck.notify.bots.adapters import adapter
from quarterdeck.notify.bots.bots import Login
from quarterdeck.tasks.projects import listing, membership, projects

RECEIVES = {"slack": "/webhook/slack/events", "lark": "/webhook/lark"}
MOST_CHATS = 500
TEST = "A test from Quarterdeck: this bot may write here."


class Bots:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def bots(self, who: Principal) -> BotsView:
        found: BotsView = await self.instance.db.read(_shown, self.instance.access)
        return found

    async def register_bot(self, who: Principal, values: Mapping[str, str]) -> None:
        """Fields by their names on the wire."""

        def verb(tx: Tx) -> None:
            key = values.get("encryptKey", "")
            bots.create(
                tx,
                platform=values["platform"],
                app_id=values["appId"],
                name=values["name"],
                app_secret=Secret(values["appSecret"]),
                webhook_token=Secret(values["webhookToken"]),
                encrypt_key=Secret(key) if key else None,
                api_url=values.get("apiUrl") or None,
            )

        await self.instance.db.write(verb)

    async def switch_bot(self, who: Principal, number: int, *, enabled: bool) -> None:
        await self.instance.db.write(lambda tx: bots.change(tx, bots.find(tx, number), enabled=enabled))

    async def remove_bot(self, who: Principal, number: int) -> None:
        await self.instance.db.write(lambda tx: bots.remove(tx, bots.find(tx, number)))

    async def bind_chat(self, who: Principal, number: int, chat: str, project: str, name: str) -> None:
        def verb(tx: Tx) -> None:
            bindings.bind(tx, bots.find(tx, number), chat, projects.find(tx, project).key, name or None)

        await self.instance.db.write(verb)

    async def unbind_chat(self, who: Principal, number: int, binding: int) -> None:
        await self.instance.db.write(lambda tx: bindings.unbind(tx, bots.find(tx, number), binding, None))

    async def test_chat(self, who: Principal, number: int, binding: int) -> None:
        """Say a sentence in a chat, outside of any unit. Raises what the platform refuses it for."""
        login, chat = await self.instance.db.read(_chat, number, binding)
        await adapter(login).send_message(chat, TEST)


def _chat(tx: Tx, number: int, binding: int) -> tuple[Login, str]:
    row = bots.find(tx, number)
    found = next((one for one in bindings.page(tx, row, None, MOST_CHATS)[0] if one.id == binding), None)
    if found is None:
        raise NotFound("There is no such binding.", code="binding_not_found", hint="Look at the list of bots.")
    return bots.login(tx, row), found.platform_chat_id


def _shown(tx: Tx, access: Access) -> BotsView:
    rows, _ = bots.page(tx, None, bots.MOST)
    chats, _ = bindings.page(tx, None, None, MOST_CHATS)
    seen = listing.page(tx, membership.visible_projects(tx, access, tx.principal))
    return BotsView(
        tuple(
            BotRow(
                row.id,
                row.platform,
                row.app_id,
                row.name,
                row.enabled,
                RECEIVES[row.platform],
                tuple(
                    ChatRow(one.id, one.platform_chat_id, one.chat_name or "", one.project_key)
                    for one in chats
                    if one.bot_id == row.id
                ),
            )
            for row in rows
        ),
        tuple((one.part.key, f"{one.part.key}, {one.whole.name}") for one in seen),
    )
