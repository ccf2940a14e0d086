"""Lark's (and Feishu's) open API: what a bot says there, as interactive cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from quarterdeck.notify.bots import calling
from quarterdeck.notify.bots.bots import Login
from quarterdeck.notify.bots.cards import Card, buttons

FIELD = "text"
LONGEST, LABEL = 8000, 100
PASSING = {99991400, 230020, 11232, 11233}
"""Codes of too many calls."""
NOT_MARKED = {"wide_screen_mode": True, "update_multi": True}


class Lark:
    """Its token is asked for before each call: little is said, and a token that is kept could outlive a secret."""

    def __init__(self, login: Login) -> None:
        self._login = login

    async def send_message(
        self, chat_id: str, said: str | Card, *, row: int = 0, only: str | None = None, key: str = ""
    ) -> str:
        kind, content = shown(said, row)
        body = {"receive_id": only or chat_id, "msg_type": kind, "content": content}
        if key:
            body["uuid"] = key[:50]
        query = {"receive_id_type": "open_id" if only else "chat_id"}
        data = await self._call("POST", "/open-apis/im/v1/messages", body, query)
        return str(data.get("message_id", ""))

    async def update_message(self, chat_id: str, message_id: str, card: Card, *, row: int = 0) -> None:
        _, content = shown(card, row)
        await self._call("PATCH", f"/open-apis/im/v1/messages/{quote(message_id, safe='')}", {"content": content})

    async def resolve_user(self, platform_uid: str) -> str:
        path = f"/open-apis/contact/v3/users/{quote(platform_uid, safe='')}"
        user = (await self._call("GET", path, None, {"user_id_type": "open_id"})).get("user")
        return str(user.get("name") or platform_uid) if isinstance(user, dict) else platform_uid

    async def _call(self, method: str, path: str, body: Any, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {await self._token()}"}
        answer = await calling.call(self._login, method, path, body, headers=headers, query=query)
        data = self._checked(answer).get("data")
        return data if isinstance(data, dict) else {}

    async def _token(self) -> str:
        body = {"app_id": self._login.app_id, "app_secret": self._login.app_secret.reveal()}
        path = "/open-apis/auth/v3/tenant_access_token/internal"
        return str(self._checked(await calling.call(self._login, "POST", path, body)).get("tenant_access_token", ""))

    def _checked(self, answer: dict[str, Any]) -> dict[str, Any]:
        code = answer.get("code")
        if code in PASSING:
            raise calling.unavailable(self._login, f"code {code}")
        if code != 0:
            raise calling.refused(self._login, f"code {code}")
        return answer


def shown(said: str | Card, row: int) -> tuple[str, str]:
    """The type and the content of a message; the content is JSON within JSON."""
    if isinstance(said, str):
        return "text", msgspec.json.encode({"text": unmarked(said[:LONGEST])}).decode()
    return "interactive", msgspec.json.encode(card_of(said, row)).decode()


def unmarked(text: str) -> str:
    """Texts of messages know tags of mentions (`<at user_id="all">`), which nobody shall make with a task's name."""
    return text.replace("<", "\u2039").replace(">", "\u203a")


def card_of(card: Card, row: int) -> dict[str, Any]:
    elements: list[dict[str, Any]] = [_div(one) for one in (card.text, card.outcome) if one]
    pressed = [
        {
            "tag": "button",
            "text": _plain(label, LABEL),
            "type": look,
            "value": msgspec.to_builtins(press),
        }
        for label, press, look in buttons(card, row)
    ]
    if pressed and card.kind == "input":
        send = {**pressed[0], "action_type": "form_submit", "name": "send"}
        field = {"tag": "input", "name": FIELD, "placeholder": _plain("Answer", LABEL)}
        elements.append({"tag": "form", "name": "answer", "elements": [field, send]})
        pressed = pressed[1:]
    if pressed:
        elements.append({"tag": "action", "actions": pressed})
    template = "grey" if card.outcome is not None else "blue"
    header = {"title": _plain(card.title, 200), "template": template}
    return {"config": NOT_MARKED, "header": header, "elements": elements}


def _div(text: str) -> dict[str, Any]:
    return {"tag": "div", "text": _plain(text, LONGEST)}


def _plain(text: str, longest: int) -> dict[str, Any]:
    return {"tag": "plain_text", "content": text if len(text) <= longest else f"{text[: longest - 1]}…"}
