"""Requests of Lark (and Feishu): proved by the verification token, and where the bot has an encrypt key, by a signature
over the raw body, which is then encrypted (AES-256-CBC).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from quarterdeck.kernel.errors import Invalid
from quarterdeck.notify.bots import lark as speaking
from quarterdeck.notify.bots.bots import Login
from quarterdeck.surfaces.chat.reading import (  # fmt: skip
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

OLDEST = timedelta(days=1)
"""Lark delivers again for some hours. What is older is a recording: ids of messages are kept longer than this."""
LONGEST = 20_000
STAMP, NONCE, SIGNATURE = "x-lark-request-timestamp", "x-lark-request-nonce", "x-lark-signature"
VERIFICATION = "url_verification"


class Lark:
    platform = "lark"

    def app_id(self, body: bytes) -> str | None:
        told = decoded(body, self.platform)
        if isinstance(told.get("encrypt"), str) or told.get("type") == VERIFICATION:
            return None
        named = text_of(told, "header", "app_id")
        if not named:
            raise strange(self.platform)
        return named

    def handle_webhook(
        self, headers: Mapping[str, str], body: bytes, bots: Sequence[Login], now: datetime
    ) -> tuple[Login, Heard]:
        told = decoded(body, self.platform)
        sealed = told.get("encrypt")
        for bot in bots:
            if isinstance(sealed, str) != (bot.encrypt_key is not None):
                continue
            said = opened(bot, sealed) if isinstance(sealed, str) else told
            if said is not None and proved(bot, headers, body, said):
                return bot, heard(said, now)
        raise unproved("neither token nor signature is of one of the bots")


def proved(bot: Login, headers: Mapping[str, str], body: bytes, said: dict[str, Any]) -> bool:
    """Whether the token is the bot's and, where it has an encrypt key and this is no test of the address, the
    signature: the SHA-256 of time, nonce, key and body.
    """
    testing = said.get("type") == VERIFICATION
    token = text_of(said, "token", longest=500) if testing else text_of(said, "header", "token", longest=500)
    if not bot.webhook_token.matches(token):
        return False
    if testing or bot.encrypt_key is None:
        return testing or text_of(said, "header", "app_id") == bot.app_id
    start = headers.get(STAMP, "") + headers.get(NONCE, "") + bot.encrypt_key.reveal()
    digest = hashlib.sha256(start.encode() + body).hexdigest()
    signed = hmac.compare_digest(digest.encode(), headers.get(SIGNATURE, "").encode())
    return signed and text_of(said, "header", "app_id") == bot.app_id


def opened(bot: Login, sealed: str) -> dict[str, Any] | None:
    """What was encrypted under a bot's key; None where it was not under this one."""
    assert bot.encrypt_key is not None  # noqa: S101 - looked at by the caller
    key = hashlib.sha256(bot.encrypt_key.reveal().encode()).digest()
    try:
        data = base64.b64decode(sealed, validate=True)
        decryptor = Cipher(algorithms.AES(key), modes.CBC(data[:16])).decryptor()
        padded = decryptor.update(data[16:]) + decryptor.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        plain = unpadder.update(padded) + unpadder.finalize()
        return decoded(plain, Lark.platform)
    except (binascii.Error, ValueError, Invalid):
        return None


def heard(said: dict[str, Any], now: datetime) -> Heard:
    if said.get("type") == VERIFICATION:
        return Challenge(value=text_of(said, "challenge"))
    made = text_of(said, "header", "create_time")
    if not (made.isascii() and made.isdigit() and len(made) in {10, 13, 16}):
        raise unproved("it has no time")
    if abs(now.timestamp() - int(made[:10])) > OLDEST.total_seconds():
        raise unproved("it is not of this day")
    kind, event = text_of(said, "header", "event_type"), within(said, "event")
    if kind == "im.message.receive_v1":
        return _message(event)
    return _press(said, event) if kind == "card.action.trigger" else None


def _message(event: Any) -> Heard:
    message = within(event, "message")
    number, chat = text_of(message, "message_id"), text_of(message, "chat_id")
    sender = text_of(event, "sender", "sender_id", "open_id")
    if text_of(event, "sender", "sender_type") != "user" or text_of(message, "message_type") != "text":
        return None
    direct = text_of(message, "chat_type") == "p2p"
    mentions = within(message, "mentions")
    mentions = mentions if isinstance(mentions, list) else []
    if not (number and chat and sender) or (not direct and not mentions):
        return None
    content = text_of(message, "content", longest=LONGEST)
    text = text_of(decoded(content, Lark.platform), "text", longest=LONGEST) if content.startswith("{") else ""
    for at, one in enumerate(mentions):
        key = text_of(one, "key")
        if key:  # the first is the bot's own, whoever else is named stays named
            text = text.replace(key, "" if at == 0 else f"@{text_of(one, 'name')}")
    return Message(id=number, chat_id=chat, sender=sender, text=text.strip(), direct=direct)


def _press(said: dict[str, Any], event: Any) -> Heard:
    value = within(event, "action", "value")
    card, does = within(value, "card"), within(value, "does")
    chat, sender = text_of(event, "context", "open_chat_id"), text_of(event, "operator", "open_id")
    number = text_of(said, "header", "event_id")
    if not isinstance(card, int) or not isinstance(does, str) or not (chat and sender and number):
        return None
    text = text_of(event, "action", "form_value", speaking.FIELD, longest=LONGEST) or None
    return Pressed(id=f"press:{number}", chat_id=chat, sender=sender, card=card, does=does, text=text)
