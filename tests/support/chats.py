"""What tests of chats need: a project of tasks, requests as platforms sign them, and a board of tasks to act on."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from sqlalchemy import select

from quarterdeck.access import Access
from quarterdeck.identity.model import Organization
from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound
from quarterdeck.kernel.events import subscriptions
from quarterdeck.kernel.principal import Principal
from quarterdeck.notify.bots import posting
from quarterdeck.notify.bots.cards import Card
from quarterdeck.surfaces.chat import jobs as chat_jobs
from quarterdeck.surfaces.chat.actions import TaskSeen
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.workspace.model import Project
from support.deck import HOME, Deck

SLACK_TOKEN, SIGNING = "xoxb-17653672481-abcdef", "8f742231b10e8888abcd99yyyzzz85a5"
LARK_SECRET, VERIFICATION, ENCRYPT = "lark-app-secret-1", "v-token-1", "kudryavka"


async def task_project(deck: Deck, organization: str = HOME, key: str = "") -> str:
    """A project with a part for tasks; its key."""

    def verb(tx: Tx) -> str:
        place = tx.one(select(Organization).where(Organization.ref == organization), what="organization")
        named = key or f"P-{tx.ids.text(6)}"
        ref = tx.ids.ref("prj")
        made = tx.add(
            Project(uid=tx.ids.uid(), ref=ref, organization_id=place.id, name=named, slug=ref.replace("_", "-"),
                    lifecycle="active", created_at=tx.now)
        )  # fmt: skip
        tx.add(
            TaskProject(uid=tx.ids.uid(), project_id=made.id, organization_id=place.id, key=named,
                        default_branch="main", merge_requests=True, most_tasks=0, created_at=tx.now)
        )  # fmt: skip
        return named

    return await deck.instance.db.write(verb)


async def quiet(deck: Deck, seconds: float = 60) -> None:
    """Until every event was heard and nothing waits to be done or said."""
    kinds = (chat_jobs.KIND, posting.KIND, "webhook.deliver", "mail.send", "events.deliver")
    live = jobs.Filter(kinds=kinds, states=tuple(jobs.LIVE))
    db = deck.instance.db
    async with asyncio.timeout(seconds):
        while await db.read(subscriptions.waits) or await db.read(jobs.list_jobs, live):
            await asyncio.sleep(0.01)


async def happen(deck: Deck, type_: str, data: dict[str, Any], organization_id: int = 1) -> None:
    """A domain event, as a room to the right appends it."""
    await deck.instance.db.write(lambda tx: events.append(tx, "task:42", type_, data, organization_id=organization_id))


def slack_headers(body: bytes, *, secret: str = SIGNING, at: float | None = None) -> dict[str, str]:
    """Signed as the platform's reference says: `v0=` HMAC-SHA256 of `v0:time:body`."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}"}


class Slacker:
    """Sends what Slack sends."""

    def __init__(self, deck: Deck, app_id: str = "A1", secret: str = SIGNING) -> None:
        self.deck, self.app_id, self.secret, self.count = deck, app_id, secret, 0

    async def post(self, way: str, body: bytes, headers: dict[str, str] | None = None, **signing: Any) -> Any:
        kind = "application/json" if way == "events" else "application/x-www-form-urlencoded"
        signed = slack_headers(body, **{"secret": self.secret, **signing}) if headers is None else headers
        return await self.deck.send(
            "POST", f"/webhook/slack/{way}", token=None, content=body, headers={"content-type": kind, **signed}
        )

    def event(self, text: str, *, sender: str = "U1", chat: str = "C1", stamp: str = "", **more: Any) -> bytes:
        self.count += 1
        event = {
            "type": "app_mention", "user": sender, "text": text, "channel": chat,
            "ts": stamp or f"1700000001.{self.count:06d}", **more,
        }  # fmt: skip
        told = {"token": "old", "team_id": "T1", "api_app_id": self.app_id, "type": "event_callback",
                "event_id": f"Ev{self.count}", "event": event}  # fmt: skip
        return json.dumps(told).encode()

    async def say(self, text: str, **more: Any) -> None:
        """A command, until it was answered."""
        answer = await self.post("events", self.event(f"<@U0BOT> {text}", **more))
        assert answer.status_code == 200, answer.text
        await quiet(self.deck)

    def press(self, value: str, *, sender: str = "U1", chat: str = "C1", text: str | None = None) -> bytes:
        self.count += 1
        payload: dict[str, Any] = {
            "type": "block_actions", "api_app_id": self.app_id, "user": {"id": sender, "username": "x"},
            "channel": {"id": chat, "name": "general"}, "container": {"type": "message", "channel_id": chat},
            "actions": [{"type": "button", "action_id": "qd:0", "value": value, "action_ts": f"17.{self.count}"}],
        }  # fmt: skip
        if text is not None:
            payload["state"] = {"values": {"qd:input": {"text": {"type": "plain_text_input", "value": text}}}}
        return urlencode({"payload": json.dumps(payload)}).encode()

    def slash(self, text: str, *, sender: str = "U1", chat: str = "C1") -> bytes:
        self.count += 1
        fields = {
            "token": "old", "team_id": "T1", "api_app_id": self.app_id, "command": "/overlord", "text": text,
            "user_id": sender, "channel_id": chat, "channel_name": "general", "trigger_id": f"13.{self.count}",
            "response_url": "https://hooks.slack.com/commands/1",
        }  # fmt: skip
        return urlencode(fields).encode()


def encrypted(said: dict[str, Any], key: str = ENCRYPT) -> bytes:
    """AES-256-CBC under the SHA-256 of the key, the vector in front, base64."""
    padder = padding.PKCS7(128).padder()
    plain = padder.update(json.dumps(said).encode()) + padder.finalize()
    vector = os.urandom(16)
    sealer = Cipher(algorithms.AES(hashlib.sha256(key.encode()).digest()), modes.CBC(vector)).encryptor()
    return json.dumps(
        {"encrypt": base64.b64encode(vector + sealer.update(plain) + sealer.finalize()).decode()}
    ).encode()


def lark_headers(body: bytes, key: str = ENCRYPT) -> dict[str, str]:
    stamp, nonce = str(int(time.time())), "n-1"
    digest = hashlib.sha256((stamp + nonce + key).encode() + body).hexdigest()
    return {"x-lark-request-timestamp": stamp, "x-lark-request-nonce": nonce, "x-lark-signature": digest}


class Larker:
    """Sends what Lark sends; with a `key` encrypted and signed."""

    def __init__(self, deck: Deck, app_id: str = "cli_1", token: str = VERIFICATION, key: str | None = None) -> None:
        self.deck, self.app_id, self.token, self.key, self.count = deck, app_id, token, key, 0

    async def post(self, said: dict[str, Any], **headers: str) -> Any:
        body = json.dumps(said).encode() if self.key is None else encrypted(said, self.key)
        signed = {} if self.key is None else lark_headers(body, self.key)
        told = {"content-type": "application/json", **signed, **headers}
        return await self.deck.send("POST", "/webhook/lark", token=None, content=body, headers=told)

    def event(self, kind: str, event: dict[str, Any], *, at: float | None = None) -> dict[str, Any]:
        self.count += 1
        made = str(int((time.time() if at is None else at) * 1000))
        header = {"event_id": f"e{self.count}", "event_type": kind, "create_time": made, "token": self.token,
                  "app_id": self.app_id, "tenant_key": "t1"}  # fmt: skip
        return {"schema": "2.0", "header": header, "event": event}

    def message(self, text: str, *, sender: str = "ou_1", chat: str = "oc_1", **more: Any) -> dict[str, Any]:
        number = f"om_in_{self.count}"
        message = {"message_id": number, "chat_id": chat, "chat_type": "group", "message_type": "text",
                   "content": json.dumps({"text": f"@_user_1 {text}"}),
                   "mentions": [{"key": "@_user_1", "id": {"open_id": "ou_bot"}, "name": "Deck"}], **more}  # fmt: skip
        whose = {"sender_id": {"open_id": sender}, "sender_type": "user"}
        return self.event("im.message.receive_v1", {"sender": whose, "message": message})

    def press(
        self, value: dict[str, Any], *, sender: str = "ou_1", chat: str = "oc_1", text: str | None = None
    ) -> dict[str, Any]:
        action: dict[str, Any] = {"tag": "button", "value": value}
        if text is not None:
            action["form_value"] = {"text": text}
        return self.event(
            "card.action.trigger",
            {"operator": {"open_id": sender}, "token": "c-1", "action": action,
             "context": {"open_chat_id": chat, "open_message_id": "om_1"}},
        )  # fmt: skip

    async def say(self, text: str, **more: Any) -> None:
        answer = await self.post(self.message(text, **more))
        assert answer.status_code == 200, answer.text
        await quiet(self.deck)


class Board:
    """Tasks that a chat acts on: in memory, with the one rule that matters here, that the first answer counts."""

    def __init__(self) -> None:
        self.tasks: dict[int, TaskSeen] = {}
        self.gates: dict[int, tuple[str, str]] = {}
        """Task to the subject and kind of its open gate."""
        self.answered: dict[str, tuple[str, bool, str]] = {}
        self.machines: dict[str, str] = {"box-1": "online"}
        self.by: list[Principal] = []

    def create(self, tx: Tx, access: Access, *, text: str, project_key: str, machine: str | None) -> TaskSeen:
        self.by.append(tx.principal)
        number = len(self.tasks) + 42
        self.tasks[number] = TaskSeen(number, project_key, text, "queued", machine=machine)
        return self.tasks[number]

    def show(self, tx: Tx, access: Access, task_id: int) -> TaskSeen:
        if task_id not in self.tasks:
            raise NotFound(f"There is no task {task_id}.", code="task_not_found", hint="Send `list`.")
        return self.tasks[task_id]

    def listed(self, tx: Tx, access: Access, *, project_key: str | None, limit: int) -> Sequence[TaskSeen]:
        return [one for one in self.tasks.values() if project_key in {None, one.project_key}][:limit]

    def _move(self, tx: Tx, access: Access, task_id: int, status: str) -> TaskSeen:
        self.by.append(tx.principal)
        self.tasks[task_id] = replace(self.show(tx, access, task_id), status=status)
        return self.tasks[task_id]

    def cancel(self, tx: Tx, access: Access, task_id: int) -> TaskSeen:
        return self._move(tx, access, task_id, "cancelled")

    def retry(self, tx: Tx, access: Access, task_id: int) -> TaskSeen:
        if self.show(tx, access, task_id).status != "failed":
            raise Conflict(f"Task #{task_id} has not failed.", code="task_not_retryable", hint="Look how it stands.")
        return self._move(tx, access, task_id, "queued")

    def confirm(self, tx: Tx, access: Access, task_id: int) -> TaskSeen:
        subject, kind = self.gates.get(task_id, ("", ""))
        if kind != "confirm":
            raise Conflict(f"Task #{task_id} waits for no confirmation.", code="no_gate", hint="Use its card.")
        return self.answer(tx, access, task_id, subject, approved=True, result="confirm")

    def answer(self, tx: Tx, access: Access, task_id: int, subject: str, *, approved: bool, result: str) -> TaskSeen:
        if subject in self.answered:
            raise Conflict(f"{self.answered[subject][0]} has answered.", code="gate_answered", hint="It counts.")
        self.answered[subject] = (tx.principal.label, approved, result)
        posting.settle(tx, tx.principal.acts_in, subject, f"{result or 'Rejected'} by {tx.principal.label}")
        return self._move(tx, access, task_id, "running" if approved else "cancelled")

    def workspace(self, tx: Tx, access: Access, task_id: int) -> str:
        return f"/srv/work/{self.show(tx, access, task_id).id}"

    def drain(self, tx: Tx, access: Access, machine: str, *, end: bool) -> str:
        if machine not in self.machines:
            raise NotFound(f"There is no machine {machine}.", code="machine_not_found", hint="Look at the machines.")
        self.machines[machine] = "online" if end else "draining"
        return self.machines[machine]

    async def logs(self, instance: Any, principal: Principal, task_id: int, limit: int) -> Sequence[str]:
        return [f"line {number} of {task_id}" for number in range(1, 4)][:limit]

    async def gate(self, deck: Deck, task_id: int, kind: str, project: str | None = None, **card: Any) -> str:
        """Open a gate, and ask in the chats."""
        subject = f"gate:{task_id}{len(self.answered)}"
        self.gates[task_id] = (subject, kind)
        asked = Card(kind=kind, title=f"Task #{task_id} waits", subject=subject, **card)  # type: ignore[arg-type]
        await deck.instance.db.write(posting.ask, 1, asked, task_id=task_id, project_key=project)
        await quiet(deck)
        return subject
