"""Requests of Slack: events, presses on cards, slash commands; proved by HMAC over the raw body."""

from __future__ import annotations

import hashlib
import hmac
import html
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qs

from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify.bots import slack as speaking
from quarterdeck.notify.bots.bots import Login
from quarterdeck.surfaces.chat.reading import (  # fmt: skip
    SKEW,
    Challenge,
    Heard,
    Message,
    Pressed,
    decoded,
    strange,
    text_of,
    unproved,
    within,
)

Way = Literal["events", "interact", "commands"]
MENTION = re.compile(r"^\s*<@[A-Z0-9]+(?:\|[^>]*)?>[\s:,]*")
LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
LONGEST = 20_000
STAMP, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"


class Slack:
    """`way` is the address that was called: each has a form of its own."""

    platform = "slack"

    def __init__(self, way: Way) -> None:
        self._way = way

    def app_id(self, body: bytes) -> str | None:
        told = self._read(body)
        if self._way == "events" and told.get("type") == "url_verification":
            return None
        named = text_of(told, "api_app_id")
        if not named:
            raise strange(self.platform)
        return named

    def handle_webhook(
        self, headers: Mapping[str, str], body: bytes, bots: Sequence[Login], now: datetime
    ) -> tuple[Login, Heard]:
        stamp, given = headers.get(STAMP, ""), headers.get(SIGNATURE, "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
            raise unproved("it has no time")
        if abs(now.timestamp() - int(stamp)) > SKEW.total_seconds():
            raise unproved("it is not of the last five minutes")
        bot = next((one for one in bots if matches(one.webhook_token, stamp, body, given)), None)
        if bot is None:
            raise unproved("its signature is of none of the bots")
        told = self._read(body)
        heard = {"events": _event, "interact": _press, "commands": _command}[self._way](told)
        return bot, heard

    def _read(self, body: bytes) -> dict[str, Any]:
        if self._way == "events":
            return decoded(body, self.platform)
        try:
            fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100)
        except (*UNREADABLE, ValueError):
            raise strange(self.platform) from None
        plain = {name: values[0] for name, values in fields.items()}
        return decoded(plain.get("payload", ""), self.platform) if self._way == "interact" else plain


def matches(secret: Secret[str], stamp: str, body: bytes, given: str) -> bool:
    """Whether a signature is `v0=` and the HMAC-SHA256 of `v0:<time>:<body>` under the signing secret."""
    digest = hmac.new(secret.reveal().encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}".encode(), given.encode())


def _event(told: dict[str, Any]) -> Heard:
    if told.get("type") == "url_verification":
        return Challenge(value=text_of(told, "challenge"))
    event = within(told, "event")
    chat, sender, stamp = (text_of(event, name) for name in ("channel", "user", "ts"))
    direct = text_of(event, "channel_type") == "im"
    kind = text_of(event, "type")
    if kind != "app_mention" and not (kind == "message" and direct):
        return None
    # What bots say themselves and what is edited or joined comes by the same way, and is nobody's command.
    if not (chat and sender and stamp) or within(event, "bot_id") or within(event, "subtype"):
        return None
    text = plain(text_of(event, "text", longest=LONGEST))
    return Message(id=f"{chat}:{stamp}", chat_id=chat, sender=sender, text=text, direct=direct)


def _command(told: dict[str, Any]) -> Heard:
    chat, sender, trigger = (text_of(told, name) for name in ("channel_id", "user_id", "trigger_id"))
    if not (chat and sender and trigger):
        return None
    text = plain(text_of(told, "text", longest=LONGEST))
    direct = text_of(told, "channel_name") == "directmessage"
    return Message(id=f"trigger:{trigger}", chat_id=chat, sender=sender, text=text, direct=direct)


def _press(told: dict[str, Any]) -> Heard:
    actions = within(told, "actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    chat = text_of(told, "channel", "id") or text_of(told, "container", "channel_id")
    sender, stamp = text_of(told, "user", "id"), text_of(first, "action_ts")
    if text_of(told, "type") != "block_actions" or not (chat and sender and stamp):
        return None
    value = text_of(first, "value", longest=speaking.VALUE)
    meant = decoded(value, Slack.platform) if value.startswith("{") else {}
    card, does = meant.get("card"), meant.get("does")
    if not isinstance(card, int) or not isinstance(does, str):
        return None
    written = within(told, "state", "values", speaking.FIELD, speaking.TEXT)
    text = text_of(written, "value", longest=LONGEST) or None
    return Pressed(id=f"press:{sender}:{stamp}", chat_id=chat, sender=sender, card=card, does=does, text=text)


def plain(text: str) -> str:
    """What somebody has written, without what Slack makes of it: its mention of the bot, links, escapes."""
    return html.unescape(LINK.sub(_link, MENTION.sub("", text))).strip()


def _link(found: re.Match[str]) -> str:
    address, label = found.group(1), found.group(2)
    if address[:1] in "@#!":
        return f"{address[:1]}{label}" if label else address
    return label or address
