"""Slack's Web API: what a bot says there, as blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.notify.bots import calling
from quarterdeck.notify.bots.bots import Login
from quarterdeck.notify.bots.cards import Card, buttons

BLOCK, FIELD, TEXT = "qd:card", "qd:input", "text"
LONGEST, LABEL, VALUE = 2900, 75, 2000
PASSING = {"ratelimited", "fatal_error", "internal_error", "service_unavailable", "request_timeout"}
STYLES = {"primary": {"style": "primary"}, "danger": {"style": "danger"}}


class Slack:
    """`login.app_secret` is the bot's token."""

    def __init__(self, login: Login) -> None:
        self._login = login

    async def send_message(
        self, chat_id: str, said: str | Card, *, row: int = 0, only: str | None = None, key: str = ""
    ) -> str:
        body: dict[str, Any] = {"channel": chat_id, **shown(said, row)}
        if only is not None:
            answer = await self._call("/chat.postEphemeral", {**body, "user": only})
            return str(answer.get("message_ts", ""))
        return str((await self._call("/chat.postMessage", body)).get("ts", ""))

    async def update_message(self, chat_id: str, message_id: str, card: Card, *, row: int = 0) -> None:
        await self._call("/chat.update", {"channel": chat_id, "ts": message_id, **shown(card, row)})

    async def resolve_user(self, platform_uid: str) -> str:
        found = await self._call("/users.info", None, {"user": platform_uid})
        user = found.get("user")
        return (
            str(user.get("real_name") or user.get("name") or platform_uid) if isinstance(user, dict) else platform_uid
        )

    async def _call(self, path: str, body: Any, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._login.app_secret.reveal()}"}
        method = "GET" if body is None else "POST"
        answer = await calling.call(self._login, method, path, body, headers=headers, query=query)
        if answer.get("ok") is not True:
            why = str(answer.get("error", "no reason"))
            raise calling.unavailable(self._login, why) if why in PASSING else calling.refused(self._login, why)
        return answer


def shown(said: str | Card, row: int) -> dict[str, Any]:
    """A message's `text`, and for a card its `blocks`."""
    if isinstance(said, str):
        return {"text": escaped(said[:LONGEST])}
    blocks: list[dict[str, Any]] = [_section(said.title)]
    if said.text:
        blocks.append(_section(said.text))
    if said.outcome is not None:
        blocks.append(_section(said.outcome))
    pressed = buttons(said, row)
    if pressed and said.kind == "input":
        element = {"type": "plain_text_input", "action_id": TEXT, "multiline": True}
        blocks.append({"type": "input", "block_id": FIELD, "element": element, "label": _plain("Answer", LABEL)})
    if pressed:
        elements = [
            {
                "type": "button",
                "action_id": f"qd:{at}",
                "text": _plain(label, LABEL),
                "value": msgspec.json.encode(press).decode()[:VALUE],
                **STYLES.get(look, {}),
            }
            for at, (label, press, look) in enumerate(pressed)
        ]
        blocks.append({"type": "actions", "block_id": BLOCK, "elements": elements})
    lines = [one for one in (said.title, said.text, said.outcome) if one]
    return {"text": escaped("\n".join(lines)[:LONGEST]), "blocks": blocks}


def escaped(text: str) -> str:
    """Slack reads these three as the beginning of mentions and links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(text, LONGEST)}


def _plain(text: str, longest: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": text if len(text) <= longest else f"{text[: longest - 1]}…", "emoji": False}
