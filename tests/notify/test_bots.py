"""The registry of bots and their bindings."""

from __future__ import annotations

import json

import pytest

from support.chats import LARK_SECRET, SIGNING, SLACK_TOKEN, VERIFICATION, task_project
from support.crew import Crew
from support.deck import running, signed_in

BOTS = "/api/admin/bots"
SLACK = {"platform": "slack", "appId": "A1", "appSecret": SLACK_TOKEN, "webhookToken": SIGNING, "name": "Deck"}
LARK = {"platform": "lark", "appId": "cli_1", "appSecret": LARK_SECRET, "webhookToken": VERIFICATION, "name": "Deck"}


@pytest.fixture
async def crew(tmp_path, database_address):
    async with running(tmp_path, database_address) as deck:
        yield Crew(await signed_in(deck))


async def test_a_bot_is_registered_changed_and_deleted_and_its_secrets_are_seen_by_nobody(crew, capfd):
    made = await crew.once("bot.created", "POST", BOTS, SLACK, status=201)
    assert made["createdAt"]
    assert {name: value for name, value in made.items() if name != "createdAt"} == {
        "id": made["id"], "platform": "slack", "appId": "A1", "name": "Deck", "enabled": True,
        "webhookUrl": "http://localhost/webhook/slack/events", "hasEncryptKey": False, "apiUrl": None,
        "bindingCount": 0,
    }  # fmt: skip
    lark = await crew.ok("POST", BOTS, {**LARK, "apiUrl": "https://open.feishu.cn/"}, status=201)
    assert (lark["webhookUrl"], lark["apiUrl"]) == ("http://localhost/webhook/lark", "https://open.feishu.cn")
    there = f"{BOTS}/{made['id']}"
    changed = await crew.once(
        "bot.changed", "PUT", there, {"name": "Two", "appSecret": "xoxb-new", "webhookToken": "sign-new"}
    )
    assert changed == {**made, "name": "Two"}
    before = len(await crew.told())
    assert await crew.ok("PUT", there, {"name": "Two"}) == changed
    assert len(await crew.told()) == before
    listed = await crew.ok("GET", BOTS)
    assert [one["id"] for one in listed["items"]] == [lark["id"], made["id"]]
    page = await crew.ok("GET", f"{BOTS}?limit=1")
    assert (await crew.ok("GET", f"{BOTS}?cursor={page['nextCursor']}"))["items"] == [changed]
    heard = "".join(crew.deck.heard) + "".join(capfd.readouterr())
    names = ("notify_bots", "audit_events", "domain_events")
    kept = await crew.db.read(lambda tx: "".join(str(r) for name in names for r in tx.execute(f"SELECT * FROM {name}")))
    for secret in (SLACK_TOKEN, SIGNING, LARK_SECRET, VERIFICATION, "xoxb-new", "sign-new"):
        assert secret not in heard
        assert secret not in kept
    assert await crew.once("bot.deleted", "DELETE", there) == {"success": True}
    await crew.refused(404, "BOT_NOT_FOUND", "DELETE", there)


async def test_bad_input_registers_no_bot(crew):
    for change in (
        {"platform": "discord"}, {"appId": ""}, {"appSecret": "", "webhookToken": "x"}, {"name": "\u202egpj"},
        {"encryptKey": "slack-has-none"}, {"appSecret": "with\nbreak"}, {"webhookToken": None},
    ):  # fmt: skip
        told = await crew.refused(400, "VALIDATION_ERROR", "POST", BOTS, {**SLACK, **change})
        assert SLACK_TOKEN not in json.dumps(told)
    for url in ("http://slack.example.com", "https://169.254.169.254", "ftp://a"):
        await crew.refused(400, "ADDRESS_NOT_ALLOWED", "POST", BOTS, {**SLACK, "apiUrl": url})
    made = await crew.ok("POST", BOTS, SLACK, status=201)
    await crew.refused(409, "BOT_EXISTS", "POST", BOTS, SLACK)
    there = f"{BOTS}/{made['id']}"
    await crew.refused(400, "VALIDATION_ERROR", "PUT", there, {"platform": "lark"})
    # A bot's token is not sent to another address by somebody who does not know it.
    await crew.refused(400, "BOT_SECRET_REQUIRED", "PUT", there, {"apiUrl": "https://evil.example.com"})
    for nobody in ("0", "x", "9" * 30, "all-bindings"):
        await crew.refused(404, "BOT_NOT_FOUND", "PUT", f"{BOTS}/{nobody}", {"name": "x"})
        await crew.refused(404, "BOT_NOT_FOUND", "GET", f"{BOTS}/{nobody}/bindings")


async def test_a_chat_is_bound_to_one_project_and_unbound_by_any_of_its_names(crew):
    made = await crew.ok("POST", BOTS, SLACK, status=201)
    await task_project(crew.deck, key="WEB")
    await task_project(crew.deck, key="API")
    there = f"{BOTS}/{made['id']}/bindings"
    body = {"platformChatId": "C1", "projectKey": "web", "chatName": "general"}
    bound = await crew.once("bot.bound", "POST", there, body, status=201)
    assert {name: value for name, value in bound.items() if name != "createdAt"} == {
        "id": bound["id"], "botId": made["id"], "platformChatId": "C1", "projectKey": "WEB", "chatName": "general",
    }  # fmt: skip
    await crew.refused(409, "CHAT_BOUND", "POST", there, {**body, "projectKey": "API"})
    await crew.refused(404, "PROJECT_NOT_FOUND", "POST", there, {**body, "platformChatId": "C2", "projectKey": "NO"})
    others = [
        await crew.ok("POST", there, {"platformChatId": f"C{n}", "projectKey": "API"}, status=201) for n in (2, 3, 4)
    ]
    assert (await crew.ok("GET", BOTS))["items"][0]["bindingCount"] == 4
    assert (await crew.ok("GET", there))["items"] == [*others[::-1], bound]
    assert (await crew.ok("GET", f"{BOTS}/all-bindings"))["items"] == [*others[::-1], bound]
    await crew.refused(400, "BINDING_NOT_NAMED", "DELETE", there)
    await crew.refused(404, "BINDING_NOT_FOUND", "DELETE", f"{there}?platformChatId=C9")
    await crew.refused(404, "BINDING_NOT_FOUND", "DELETE", f"{there}?bindingId={bound['id']}&platformChatId=C2")
    await crew.once("bot.unbound", "DELETE", f"{there}?bindingId={bound['id']}")
    await crew.once("bot.unbound", "DELETE", f"{there}?platformChatId=C2")
    await crew.once("bot.unbound", "DELETE", there, {"bindingId": others[1]["id"]})
    await crew.once("bot.unbound", "DELETE", there, {"platformChatId": "C4"})
    assert (await crew.ok("GET", f"{BOTS}/all-bindings"))["items"] == []
    await crew.ok("POST", there, body, status=201)
    await crew.ok("DELETE", f"{BOTS}/{made['id']}")
    assert (await crew.ok("GET", f"{BOTS}/all-bindings"))["items"] == []


async def test_bots_of_another_organization_are_not_found(crew):
    made = await crew.ok("POST", BOTS, SLACK, status=201)
    key = await task_project(crew.deck)
    there = f"{BOTS}/{made['id']}"
    bound = await crew.ok("POST", f"{there}/bindings", {"platformChatId": "C1", "projectKey": key}, status=201)
    _, eve = await crew.person("eve", "tasks:admin", organization="org_elsewhere")
    for method, path, body in (
        ("PUT", there, {"name": "mine"}),
        ("DELETE", there, None),
        ("GET", f"{there}/bindings", None),
        ("POST", f"{there}/bindings", {"platformChatId": "C2", "projectKey": key}),
        ("DELETE", f"{there}/bindings?bindingId={bound['id']}", None),
    ):
        await crew.refused(404, "BOT_NOT_FOUND", method, path, body, token=eve)
    assert (await crew.ok("GET", BOTS, token=eve))["items"] == []
    assert (await crew.ok("GET", f"{BOTS}/all-bindings", token=eve))["items"] == []
    theirs = await crew.ok("POST", BOTS, SLACK, status=201, token=eve)
    body = {"platformChatId": "C1", "projectKey": key}
    await crew.refused(404, "PROJECT_NOT_FOUND", "POST", f"{BOTS}/{theirs['id']}/bindings", body, token=eve)
