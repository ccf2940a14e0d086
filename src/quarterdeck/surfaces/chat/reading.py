"""What a platform's request says, once it is proved to come from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from quarterdeck.kernel.errors import Invalid, Unauthenticated
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.notify.bots.bots import Login

SKEW = timedelta(minutes=5)
LARGEST = 256 << 10
"""Bytes of a request; a press on a card brings the whole message along."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody has said something to the bot. `direct`: in a chat with the bot alone. `id` is the message's, by which
    it is known when it is delivered again.
    """

    id: str
    chat_id: str
    sender: str
    text: str
    direct: bool = False


class Pressed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody has pressed a button of a card: `card` is its row, `does` what the button stands for, `text` what was
    written into its field.
    """

    id: str
    chat_id: str
    sender: str
    card: int
    does: str
    text: str | None = None


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """The platform wants to know whether this address is ours."""

    value: str


Heard = Message | Pressed | Challenge | None
"""None: nothing that a bot answers."""


class Reader(Protocol):
    """The incoming half of a platform's adapter; `notify.bots.adapters.Adapter` is the other."""

    platform: str

    def app_id(self, body: bytes) -> str | None:
        """Which application the request says that it is for; None where it says none. Raises `Invalid` for what is no
        request of the platform.
        """
        ...

    def handle_webhook(
        self, headers: Mapping[str, str], body: bytes, bots: Sequence[Login], now: datetime
    ) -> tuple[Login, Heard]:
        """What is said, and to which bot. Raises `Unauthenticated` unless it is proved by a bot's secret."""
        ...


def decoded(data: bytes | str, platform: str) -> dict[str, Any]:
    """A JSON object. Raises `Invalid`."""
    try:
        found = msgspec.json.decode(data)
    except UNREADABLE:
        found = None
    if not isinstance(found, dict):
        raise strange(platform)
    return found


def within(value: Any, *path: str) -> Any:
    """What lies at a path of nested objects, None where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text_of(value: Any, *path: str, longest: int = 200) -> str:
    """A text at a path; empty for anything else, and for one that is longer than what we keep."""
    found = within(value, *path)
    return found if isinstance(found, str) and len(found) <= longest and "\x00" not in found else ""


def strange(platform: str) -> Invalid:
    return Invalid(
        f"This is no request of {platform.capitalize()}'s.",
        code="chat_request_invalid",
        hint="Give this address to the platform, and to nobody else.",
    )


def unproved(why: str) -> Unauthenticated:
    return Unauthenticated(
        f"The request is not proved to be the platform's: {why}.",
        code="chat_signature_invalid",
        hint="Compare the bot's secrets with those of the platform, and the clocks.",
    )
