"""Slack: proofs, deliveries, and every command."""

from __future__ import annotations

import json
import time

from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.chat.slack import matches, plain
from support.chats import SIGNING, SLACK_TOKEN, Slacker, quiet, slack_headers


def test_the_signature_is_that_of_the_published_example():
    """The worked example of Slack's page about verifying requests."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    given = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    secret = Secret("8f742231b10e8888abcd99yyyzzz85a5")
    assert matches(secret, "1531420618", body, given)
    assert not matches(secret, "1531420619", body, given)
    assert not matches(secret, "1531420618", body + b" ", given)
    assert not matches(Secret("another"), "1531420618", body, given)


def test_what_slack_makes_of_a_text_is_undone():
    assert plain("<@U0BOT> develop &lt;b&gt; &amp; <https://a.b/c|a.b/c> <@U7|ann> <#C1|general>") == (
        "develop <b> & a.b/c @ann #general"
    )


async def test_only_what_is_signed_now_and_by_slack_is_heard(chat):
    body = chat.slacker.event("<@U0BOT> develop x")
    stale, early = time.time() - 301, time.time() + 360  # which a slow run must not make timely
    for headers in (
        {},
        {"x-slack-request-timestamp": str(int(time.time()))},
        slack_headers(body, secret="another"),
        slack_headers(body, at=stale),
        slack_headers(body, at=early),
        slack_headers(body + b" "),
        {**slack_headers(body), "x-slack-request-timestamp": "1e9"},
        {**slack_headers(body), "x-slack-signature": b"v0=\xe9"},
    ):
        answer = await chat.slacker.post("events", body, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "CHAT_SIGNATURE_INVALID"), headers
        assert SIGNING not in answer.text
    foreign = Slacker(chat.deck, app_id="A9")
    assert (await foreign.post("events", foreign.event("<@U0BOT> develop x"))).status_code == 401
    for way, strange in (
        ("events", b"[]"), ("events", b"\xff"), ("events", b"{}"), ("interact", b"payload=no"), ("commands", b"a=b"),
        ("events", b"[" * 60_000),
    ):  # fmt: skip
        answer = await chat.slacker.post(way, strange)
        assert (answer.status_code, answer.json()["code"]) == (400, "CHAT_REQUEST_INVALID"), strange[:10]
    await quiet(chat.deck)
    assert chat.board.tasks == {}
    assert chat.slack.asked == []


async def test_the_test_of_the_address_is_answered_with_its_challenge(chat):
    body = json.dumps({"token": "old", "challenge": "3eZbrw1aB", "type": "url_verification"}).encode()
    answer = await chat.slacker.post("events", body)
    assert (answer.status_code, answer.json()) == (200, {"challenge": "3eZbrw1aB"})
    assert (await chat.slacker.post("events", body, slack_headers(body, secret="no"))).status_code == 401


async def test_what_is_delivered_again_is_done_once(chat):
    body = chat.slacker.event('<@U0BOT> develop "fix it"', stamp="17.1")
    again = json.dumps({**json.loads(body), "event_id": "EvOther", "event_time": 2}).encode()
    for one in (body, body, again):
        answer = await chat.slacker.post("events", one)
        assert (answer.status_code, answer.json()) == (200, {})
    await quiet(chat.deck)
    assert len(chat.board.tasks) == 1
    assert chat.slack.said == ["Task #42 of WEB is queued."]
    recorded = slack_headers(body)
    assert (await chat.slacker.post("events", body, recorded)).status_code == 200  # replayed within its five minutes
    await quiet(chat.deck)
    assert len(chat.board.tasks) == 1


async def test_what_bots_say_and_what_is_not_for_the_bot_is_nothing(chat):
    for more in (
        {"bot_id": "B1"}, {"subtype": "message_changed"}, {"type": "message"}, {"user": ""}, {"type": "reaction_added"},
    ):  # fmt: skip
        assert (await chat.slacker.post("events", chat.slacker.event("develop x", **more))).status_code == 200
    await quiet(chat.deck)
    assert chat.board.tasks == {}
    direct = chat.slacker.event("develop x --project API", chat="D1", type="message", channel_type="im")
    assert (await chat.slacker.post("events", direct)).status_code == 200
    await quiet(chat.deck)
    assert [one.project_key for one in chat.board.tasks.values()] == ["API"]


async def test_every_command_does_what_it_says(chat):
    said, say = chat.slack.said, chat.slacker.say
    await say('develop "fix the &lt;login&gt;" --on box-1')
    assert chat.board.tasks[42].description == "fix the <login>"
    assert (chat.board.tasks[42].project_key, chat.board.tasks[42].machine) == ("WEB", "box-1")
    principal = chat.board.by[0]
    assert (principal.label, principal.organization_id, principal.by_token) == ("ann", 1, True)
    assert "tasks:bots.manage" not in principal.scopes
    await say("dev more --project api")
    assert chat.board.tasks[43].project_key == "API"
    await say("progress #42")
    await say("ls")
    await say("list --project API")
    await say("ws #42")
    await say("logs #42")
    await say("cancel #42")
    said = chat.slack.said
    assert "#42 WEB queued: fix the &lt;login&gt;\nMachine: box-1" in said
    assert "#42 WEB queued: fix the &lt;login&gt;" in said  # the chat is bound to WEB
    assert "#43 API queued: more" in said
    assert "/srv/work/42" in said
    assert "line 1 of 42\nline 2 of 42\nline 3 of 42" in said
    assert "#42 WEB cancelled: fix the &lt;login&gt;\nMachine: box-1" in said
    await say("retry #42")
    assert chat.slack.seen_by[-1] == ("U1", "Task #42 has not failed. Look how it stands.")
    await say("progress #99")
    assert chat.slack.seen_by[-1] == ("U1", "There is no task 99. Send `list`.")
    await say("drain box-1")
    assert "permission" in chat.slack.seen_by[-1][1] or "may" in chat.slack.seen_by[-1][1]
    assert chat.board.machines == {"box-1": "online"}
    await say("drain box-1", sender="U2")
    assert chat.board.machines == {"box-1": "draining"}
    await say("undrain box-1", sender="U2")
    assert chat.slack.said[-2:] == ["The machine box-1 is draining.", "The machine box-1 is online."]
    await say("help")
    assert 'develop "text"' in chat.slack.seen_by[-1][1].replace("&quot;", '"')
    await say("info")
    assert chat.slack.seen_by[-1] == ("U1", "Chat: C1\nUser: U1 (linked to ann)\nProject: WEB")
    await say("fly")
    assert "Send `help`" in chat.slack.seen_by[-1][1]
    await say("dev lost", chat="C9")
    assert "--project KEY" in chat.slack.seen_by[-1][1]
    await say("dev lost --project NONE")
    assert "no project" in chat.slack.seen_by[-1][1]
    assert len(chat.board.tasks) == 2


async def test_a_confirmation_by_command_answers_the_open_gate(chat):
    await chat.slacker.say("dev it")
    await chat.slacker.say("confirm #42")
    assert "waits for no confirmation" in chat.slack.seen_by[-1][1]
    subject = await chat.board.gate(chat.deck, 42, "confirm")
    await chat.slacker.say("confirm #42")
    assert chat.board.answered[subject] == ("ann", True, "confirm")
    assert "confirm by ann" in chat.slack.cards()[-1][1]["text"]


async def test_a_slash_command_is_answered_at_once_and_done_after(chat):
    answer = await chat.slacker.post("commands", chat.slacker.slash("develop it"))
    assert (answer.status_code, answer.json()) == (200, {"response_type": "ephemeral", "text": "On it."})
    await quiet(chat.deck)
    assert chat.slack.said == ["Task #42 of WEB is queued."]


async def test_who_is_unknown_is_shown_how_to_bind(chat):
    await chat.slacker.say("develop it", sender="U9")
    assert chat.board.tasks == {}
    whose, text = chat.slack.seen_by[-1]
    assert whose == "U9"
    assert text.startswith("User not found")
    assert "`bind`" in text
    await chat.slacker.say("info", sender="U9")
    assert "not linked" in chat.slack.seen_by[-1][1]
    await chat.slacker.say("bind", sender="U9")
    assert chat.slack.said == []  # a token is for one person's eyes
    token = chat.slack.seen_by[-1][1].split(": ")[1].split()[0]
    bea, theirs = await chat.crew.person("bea", "tasks:developer")
    _, outside = await chat.crew.person("eve", "tasks:admin", organization="org_elsewhere")
    bind = ("POST", "/api/web/profile/bind-platform")
    await chat.crew.refused(410, "PLATFORM_LINK_EXPIRED", *bind, {"token": token}, token=outside)
    await chat.crew.refused(410, "PLATFORM_LINK_EXPIRED", *bind, {"token": "made up"}, token=theirs)
    told = await chat.crew.once("user.platform-bound", *bind, {"token": token}, token=theirs, actor="bea")
    assert (told["id"], told["platformUid"]) == (bea, "U9")
    await chat.crew.refused(410, "PLATFORM_LINK_EXPIRED", *bind, {"token": token}, token=theirs)
    await chat.slacker.say("develop it", sender="U9")
    assert chat.board.by[-1].label == "bea"
    # Somebody else's account cannot be taken from them.
    await chat.slacker.say("bind", sender="U1")
    token = chat.slack.seen_by[-1][1].split(": ")[1].split()[0]
    await chat.crew.refused(409, "PLATFORM_UID_TAKEN", *bind, {"token": token}, token=theirs)


async def test_a_token_is_good_for_ten_minutes(chat):
    await chat.slacker.say("bind", sender="U9")
    token = chat.slack.seen_by[-1][1].split(": ")[1].split()[0]
    await chat.deck.instance.db.write(lambda tx: tx.execute("UPDATE notify_platform_links SET expires_at = 1") and None)
    bind = ("POST", "/api/web/profile/bind-platform")
    await chat.crew.refused(410, "PLATFORM_LINK_EXPIRED", *bind, {"token": token}, token=chat.people["ann"][1])


async def test_who_is_let_go_or_known_twice_may_nothing(chat):
    number, _ = chat.people["ann"]
    await chat.crew.ok("PUT", f"/api/admin/developers/{chat.people['lea'][0]}", {"platformUid": "U1"})
    await chat.slacker.say("develop it")
    assert "several people" in chat.slack.seen_by[-1][1]
    await chat.crew.ok("PUT", f"/api/admin/developers/{chat.people['lea'][0]}", {"platformUid": "U2"})
    await chat.crew.ok("PUT", f"/api/admin/developers/{number}", {"isActive": False})
    await chat.slacker.say("develop it")
    assert "User not found" in chat.slack.seen_by[-1][1]
    assert chat.board.tasks == {}


async def test_a_bot_that_is_disabled_or_deleted_hears_nothing(chat):
    there = f"/api/admin/bots/{chat.bots['slack']['id']}"
    await chat.crew.ok("PUT", there, {"enabled": False})
    assert (await chat.slacker.post("events", chat.slacker.event("<@U0BOT> develop x"))).status_code == 401
    await chat.crew.ok("PUT", there, {"enabled": True})
    await chat.crew.ok("DELETE", there)
    assert (await chat.slacker.post("events", chat.slacker.event("<@U0BOT> develop x"))).status_code == 401


async def test_two_organizations_may_have_the_same_application_and_each_hears_its_own(chat):
    """Whose signing secret fits is whose message it is: nobody takes another's by registering its number."""
    _, eve = await chat.crew.person("eve", "tasks:admin", organization="org_elsewhere")
    body = {"platform": "slack", "name": "theirs", "appId": "A1", "appSecret": "xoxb-9", "webhookToken": "their-secret"}
    await chat.crew.ok("POST", "/api/admin/bots", body, status=201, token=eve)
    await chat.slacker.say("develop it")
    assert [one.organization_id for one in chat.board.by] == [1]
    theirs = Slacker(chat.deck, secret="their-secret")
    assert (await theirs.post("events", theirs.event("<@U0BOT> develop it", stamp="99.1"))).status_code == 200
    # ann is U1 in the first organization, and nobody in theirs; what their bot would say goes to the real Slack.
    found = await chat.deck.instance.db.read(
        lambda tx: tx.execute("SELECT count(*) FROM jobs WHERE kind = 'chat.handle' AND organization_id <> 1").scalar()
    )
    assert found == 1
    assert [one.organization_id for one in chat.board.by] == [1]


async def test_messages_wait_while_slack_limits_them(chat):
    chat.slack.limited = 1
    await chat.slacker.say("develop it")
    assert chat.slack.said == ["Task #42 of WEB is queued."]
    assert len(chat.slack.asked) == 2


async def test_no_secret_is_answered_logged_or_kept_in_the_clear(chat, capfd):
    await chat.slacker.say("develop it")
    await chat.slacker.say("bind", sender="U9")
    token = chat.slack.seen_by[-1][1].split(": ")[1].split()[0]
    secrets = [SLACK_TOKEN, SIGNING, token]
    heard = "".join(chat.deck.heard) + "".join(capfd.readouterr())

    def everything(tx):
        names = ("notify_bots", "jobs", "audit_events", "domain_events", "notify_platform_links")
        return "".join(str(row) for name in names for row in tx.execute(f"SELECT * FROM {name}"))

    kept = await chat.deck.instance.db.read(everything)
    for secret in secrets:
        assert secret not in heard
        assert secret not in kept
