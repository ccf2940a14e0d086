"""Lark's open API: the tenant's token, im/v1/messages (create and patch), contact/v3/users."""

from __future__ import annotations

import json
from typing import Any

from fakes.chat.serving import Asked, Fake

MESSAGES = "/open-apis/im/v1/messages"
TAGS = {"div", "action", "form", "input", "button"}


class FakeLark(Fake):
    """`messages` by id: receiver, type and content as they stand."""

    def __init__(self, app_id: str, app_secret: str) -> None:
        super().__init__()
        self.app_id, self.app_secret = app_id, app_secret
        self.messages: dict[str, tuple[str, str, Any]] = {}
        self._by_uuid: dict[str, str] = {}

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path == "/open-apis/auth/v3/tenant_access_token/internal" and asked.method == "POST":
            if asked.json != {"app_id": self.app_id, "app_secret": self.app_secret}:
                return 200, {"code": 10014, "msg": "app secret invalid"}
            return 200, {"code": 0, "msg": "ok", "tenant_access_token": "t-1", "expire": 7200}
        if asked.headers.get("authorization") != "Bearer t-1":
            return 400, {"code": 99991663, "msg": "Invalid access token"}
        if asked.path == MESSAGES and asked.method == "POST":
            return self._create(asked)
        if asked.path.startswith(f"{MESSAGES}/") and asked.method == "PATCH":
            return self._patch(asked, asked.path.rpartition("/")[2])
        if asked.path.startswith("/open-apis/contact/v3/users/") and asked.method == "GET":
            return 200, {"code": 0, "data": {"user": {"open_id": asked.path.rpartition("/")[2], "name": "Ann"}}}
        return self.refuse(asked, "no such call")

    def _create(self, asked: Asked) -> tuple[int, Any]:
        body = asked.json
        if asked.query.get("receive_id_type") not in {"chat_id", "open_id"} or set(body) - {
            "receive_id", "msg_type", "content", "uuid",
        }:  # fmt: skip
            return self.refuse(asked, f"fields {sorted(body)}", {"code": 230001, "msg": "invalid request"})
        if "uuid" in body and body["uuid"] in self._by_uuid:
            return 200, {"code": 0, "data": {"message_id": self._by_uuid[body["uuid"]]}}
        content = json.loads(body["content"])
        strange = wrong(body["msg_type"], content)
        if strange:
            return self.refuse(asked, strange, {"code": 230001, "msg": "invalid request"})
        number = f"om_{len(self.messages) + 1}"
        self.messages[number] = (body["receive_id"], body["msg_type"], content)
        if "uuid" in body:
            self._by_uuid[body["uuid"]] = number
        return 200, {"code": 0, "msg": "success", "data": {"message_id": number}}

    def _patch(self, asked: Asked, number: str) -> tuple[int, Any]:
        content = json.loads(asked.json["content"])
        if number not in self.messages or self.messages[number][1] != "interactive" or set(asked.json) != {"content"}:
            return self.refuse(asked, "no card", {"code": 230001, "msg": "invalid request"})
        strange = wrong("interactive", content)
        if strange or not content["config"].get("update_multi"):
            return self.refuse(asked, strange or "not to be updated", {"code": 230001, "msg": "invalid request"})
        self.messages[number] = (self.messages[number][0], "interactive", content)
        return 200, {"code": 0, "data": {}}

    def texts(self, receiver: str) -> list[str]:
        return [content["text"] for to, kind, content in self.messages.values() if to == receiver and kind == "text"]

    def cards(self) -> list[dict[str, Any]]:
        return [content for _, kind, content in self.messages.values() if kind == "interactive"]


def buttons(card: dict[str, Any]) -> dict[str, Any]:
    """Value of each button by its label, those of forms too."""
    found: dict[str, Any] = {}
    for element in card["elements"]:
        for one in element.get("actions", []) + element.get("elements", []):
            if one["tag"] == "button":
                found[one["text"]["content"]] = one["value"]
    return found


def wrong(kind: str, content: Any) -> str:
    if kind == "text":
        return "" if set(content) == {"text"} and content["text"] else f"text {content}"
    if kind != "interactive" or set(content) != {"config", "header", "elements"}:
        return f"card {content}"
    return next((told for one in content["elements"] if (told := wrong_element(one))), "")


def wrong_element(one: dict[str, Any]) -> str:
    if one.get("tag") not in TAGS:
        return f"tag {one}"
    inner = one.get("actions", []) + one.get("elements", [])
    if one["tag"] == "button" and not (one["text"]["tag"] == "plain_text" and isinstance(one["value"], dict)):
        return f"button {one}"
    if one["tag"] == "form" and not one.get("name"):
        return f"form {one}"
    return next((told for each in inner if (told := wrong_element(each))), "")
