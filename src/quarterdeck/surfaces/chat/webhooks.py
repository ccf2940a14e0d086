"""Where Slack and Lark deliver: proved, kept once, answered at once; a job does the rest."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.notify.bots import bots
from quarterdeck.surfaces.chat import jobs
from quarterdeck.surfaces.chat.lark import Lark
from quarterdeck.surfaces.chat.reading import LARGEST, Challenge, Pressed, Reader
from quarterdeck.surfaces.chat.slack import Slack

ERRORS = ((400, "chat_request_invalid"), (401, "chat_signature_invalid"))
OPTIONS: dict[str, Any] = {"permission": "public", "body_limit": LARGEST, "errors": ERRORS}
SLACK = {
    "X-Slack-Request-Timestamp": "When Slack sent it, in seconds since 1970; at most five minutes from now.",
    "X-Slack-Signature": "`v0=` and the HMAC-SHA256 of `v0:<timestamp>:<body>` under the bot's signing secret.",
}
LARK = {
    "X-Lark-Request-Timestamp": "When Lark sent it; part of what is signed.",
    "X-Lark-Request-Nonce": "Part of what is signed.",
    "X-Lark-Signature": "Of a bot with an encrypt key: the SHA-256 of timestamp, nonce, key and body.",
}


class Toast(Struct, kw_only=True):
    """What Lark shows to who has pressed a button."""

    type: str
    content: str


class WebhookAnswer(Struct, kw_only=True):
    """`challenge` repeats what a test of the address has sent; `text` is shown to who has sent a slash command."""

    challenge: str | UnsetType = UNSET
    response_type: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    toast: Toast | UnsetType = UNSET


async def _take(call: Call, body: bytes, reader: Reader) -> tuple[WebhookAnswer, bool]:
    """The answer, and whether somebody has said something that is being done."""
    app_id = reader.app_id(body)
    known = await call.read(bots.candidates, reader.platform, app_id)
    bot, heard = reader.handle_webhook(call.headers, body, known, call.service("clock").now())
    if isinstance(heard, Challenge):
        return WebhookAnswer(challenge=heard.value), False
    if heard is None:
        return WebhookAnswer(), False
    await call.write(jobs.accept, bot, heard)
    if isinstance(heard, Pressed) and reader.platform == "lark":
        return WebhookAnswer(toast=Toast(type="info", content="Your answer is on its way.")), True
    return WebhookAnswer(), True


@route("POST", "/webhook/slack/events", headers=SLACK, **OPTIONS)
async def slack_events(call: Call, body: bytes) -> WebhookAnswer:
    """Messages to a bot in Slack, and Slack's test of this address."""
    return (await _take(call, body, Slack("events")))[0]


@route("POST", "/webhook/slack/interact", headers=SLACK, **OPTIONS)
async def slack_interact(call: Call, body: bytes) -> WebhookAnswer:
    """Presses on the cards of a bot in Slack."""
    return (await _take(call, body, Slack("interact")))[0]


@route("POST", "/webhook/slack/commands", headers=SLACK, **OPTIONS)
async def slack_commands(call: Call, body: bytes) -> WebhookAnswer:
    """The slash command of a bot in Slack."""
    answer, busy = await _take(call, body, Slack("commands"))
    return WebhookAnswer(response_type="ephemeral", text="On it.") if busy else answer


@route("POST", "/webhook/lark", headers=LARK, **OPTIONS)
async def lark(call: Call, body: bytes) -> WebhookAnswer:
    """Messages to a bot in Lark, presses on its cards, and Lark's test of this address."""
    return (await _take(call, body, Lark()))[0]
