"""Slack's Web API: chat.postMessage, chat.postEphemeral, chat.update, users.info, with Block Kit's limits."""

from __future__ import annotations

from typing import Any

from fakes.chat.serving import Asked, Fake

KNOWN = {
    "/chat.postMessage": {"channel", "text", "blocks", "thread_ts"},
    "/chat.postEphemeral": {"channel", "text", "blocks", "user"},
    "/chat.update": {"channel", "ts", "text", "blocks"},
}
BLOCKS = {
    "section": {"type", "text", "block_id"},
    "actions": {"type", "elements", "block_id"},
    "input": {"type", "element", "label", "block_id"},
}


class FakeSlack(Fake):
    """`messages` by their time stamp, as they stand; `seen_by` those for one person alone."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token
        self.messages: dict[str, dict[str, Any]] = {}
        self.seen_by: list[tuple[str, str]] = []
        self.limited = 0

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return 200, {"ok": False, "error": "invalid_auth"}
        if self.limited:
            self.limited -= 1
            return 429, {"ok": False, "error": "ratelimited"}
        if asked.method == "GET" and asked.path == "/users.info":
            return 200, {"ok": True, "user": {"id": asked.query["user"], "name": "ann", "real_name": "Ann Example"}}
        known = KNOWN.get(asked.path)
        if asked.method != "POST" or known is None:
            return self.refuse(asked, "no such call")
        body = asked.json
        strange = unknown(body, known) or wrong_blocks(body.get("blocks", []))
        if strange or not body.get("channel") or not body.get("text"):
            return self.refuse(asked, strange or "no channel or text", {"ok": False, "error": "invalid_arguments"})
        if asked.path == "/chat.update":
            if body["ts"] not in self.messages:
                return self.refuse(asked, "no such message", {"ok": False, "error": "message_not_found"})
            self.messages[body["ts"]] = body
            return 200, {"ok": True, "channel": body["channel"], "ts": body["ts"], "text": body["text"]}
        if asked.path == "/chat.postEphemeral":
            self.seen_by.append((body["user"], body["text"]))
            return 200, {"ok": True, "message_ts": "1.1"}
        stamp = f"1700000000.{len(self.messages) + 1:06d}"
        self.messages[stamp] = body
        return 200, {"ok": True, "channel": body["channel"], "ts": stamp, "message": {"text": body["text"]}}

    @property
    def said(self) -> list[str]:
        return [one["text"] for one in self.messages.values()]

    def cards(self) -> list[tuple[str, dict[str, Any]]]:
        """Messages with blocks, with their stamps."""
        return [(stamp, one) for stamp, one in self.messages.items() if "blocks" in one]


def buttons(message: dict[str, Any]) -> dict[str, str]:
    """Value of each button by its label."""
    rows = [one for one in message["blocks"] if one["type"] == "actions"]
    return {one["text"]["text"]: one["value"] for row in rows for one in row["elements"]}


def unknown(body: dict[str, Any], known: set[str]) -> str:
    more = sorted(set(body) - known)
    return f"unknown fields {more}" if more else ""


def wrong_blocks(blocks: list[dict[str, Any]]) -> str:
    if len(blocks) > 50:
        return "more than 50 blocks"
    for block in blocks:
        known = BLOCKS.get(block.get("type", ""))
        if known is None:
            return f"unknown block {block}"
        strange = unknown(block, known)
        if strange:
            return strange
        if block["type"] == "section" and wrong_text(block["text"], 3000):
            return f"text {block}"
        if block["type"] == "input" and (
            wrong_text(block["label"], 2000) or block["element"]["type"] != "plain_text_input"
        ):
            return f"input {block}"
        if block["type"] == "actions":
            names = [one["action_id"] for one in block["elements"]]
            if not 1 <= len(names) <= 25 or len(set(names)) != len(names):
                return f"elements {block}"
            for one in block["elements"]:
                known = {"type", "action_id", "text", "value", "style"}
                if unknown(one, known) or one["type"] != "button" or wrong_text(one["text"], 75):
                    return f"button {one}"
                if len(one["value"]) > 2000 or one.get("style", "primary") not in {"primary", "danger"}:
                    return f"button {one}"
    return ""


def wrong_text(text: dict[str, Any], longest: int) -> bool:
    return text.get("type") not in {"plain_text", "mrkdwn"} or not 1 <= len(text["text"]) <= longest
