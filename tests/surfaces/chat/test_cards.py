"""Cards: pressed by whoever may answer, first answer wins, edited in every chat."""

from __future__ import annotations

import asyncio
import json

from fakes.chat.slack import buttons
from quarterdeck.notify import tell
from quarterdeck.notify.bots import posting
from support.chats import quiet, slack_headers


async def asked(chat, kind="confirm", **more):
    await chat.slacker.say("develop it")
    await chat.crew.ok(
        "POST",
        f"/api/admin/bots/{chat.bots['slack']['id']}/bindings",
        {"platformChatId": "C2", "projectKey": "WEB"},
        status=201,
    )
    subject = await chat.board.gate(chat.deck, 42, kind, "WEB", **more)
    found = dict(chat.slack.cards())
    assert sorted(one["channel"] for one in found.values()) == ["C1", "C2"]
    return subject, {one["channel"]: buttons(one) for one in found.values()}


async def pressed(chat, value, where="C1", **more):
    answer = await chat.slacker.post("interact", chat.slacker.press(value, chat=where, **more))
    assert (answer.status_code, answer.json()) == (200, {})
    await quiet(chat.deck)


async def test_a_confirmation_stands_in_every_chat_with_who_gave_it(chat):
    subject, there = await asked(chat)
    assert list(there["C1"]) == ["Approve", "Reject"]
    await pressed(chat, there["C1"]["Approve"])
    assert chat.board.answered[subject] == ("ann", True, "confirm")
    cards = [one for _, one in chat.slack.cards()]
    assert len(cards) == 2
    for card in cards:
        assert buttons(card) == {}
        assert "confirm by ann" in card["text"]


async def test_the_first_of_two_answers_counts_and_the_other_is_told_whose(chat):
    subject, there = await asked(chat)
    presses = [
        chat.slacker.press(there["C1"]["Approve"], sender="U1"),
        chat.slacker.press(there["C2"]["Reject"], sender="U2", chat="C2"),
        chat.slacker.press(there["C1"]["Reject"], sender="U2"),
    ]
    answers = await asyncio.gather(*(chat.slacker.post("interact", one) for one in presses))
    assert [one.status_code for one in answers] == [200, 200, 200]
    await quiet(chat.deck)
    winner, approved, _ = chat.board.answered[subject]
    assert len(chat.board.answered) == 1
    assert chat.board.tasks[42].status == ("running" if approved else "cancelled")
    told = [text for _, text in chat.slack.seen_by]
    assert len(told) == 2
    assert all(winner in one for one in told)
    assert all(f"by {winner}" in one["text"] for _, one in chat.slack.cards())


async def test_a_card_that_was_answered_elsewhere_says_so(chat):
    subject, there = await asked(chat)
    await chat.deck.instance.db.write(posting.settle, 1, subject, "Approved by ada")
    await quiet(chat.deck)
    assert all("Approved by ada" in one["text"] for _, one in chat.slack.cards())
    await pressed(chat, there["C1"]["Reject"])
    assert chat.slack.seen_by[-1] == ("U1", "It was answered before: Approved by ada")
    assert chat.board.answered == {}


async def test_choices_and_texts(chat):
    subject, there = await asked(chat, "choice", choices=("staging", "x" * 100))
    assert list(there["C1"]) == ["staging", "x" * 74 + "…", "Reject"]
    await pressed(chat, there["C1"]["x" * 74 + "…"])
    assert chat.board.answered[subject][2] == "x" * 100
    second = await chat.board.gate(chat.deck, 42, "input")
    values = next(buttons(one) for _, one in chat.slack.cards() if buttons(one))
    await pressed(chat, values["Send"], text="  ")
    assert chat.slack.seen_by[-1] == ("U1", "Write an answer first.")
    await pressed(chat, values["Send"], text="to main")
    assert chat.board.answered[second] == ("ann", True, "to main")


async def test_who_may_not_answer_is_told_and_changes_nothing(chat):
    subject, there = await asked(chat)
    for sender, why in (("U9", "User not found"),):
        await pressed(chat, there["C1"]["Approve"], sender=sender)
        assert chat.slack.seen_by[-1][0] == sender
        assert why in chat.slack.seen_by[-1][1]
    viewer, _ = await chat.crew.person("vic", "organization:viewer")
    await chat.crew.ok("PUT", f"/api/admin/developers/{viewer}", {"platformUid": "U7"})
    await pressed(chat, there["C1"]["Approve"], sender="U7")
    assert "tasks:tasks.act" in chat.slack.seen_by[-1][1]
    assert subject not in chat.board.answered
    assert all(buttons(one) for _, one in chat.slack.cards())


async def test_buttons_that_nobody_was_given_do_nothing(chat):
    subject, there = await asked(chat)
    value = json.loads(there["C1"]["Approve"])
    for strange in ({**value, "card": 999_999}, {**value, "does": "7"}, {**value, "does": "send"}):
        await pressed(chat, json.dumps(strange))
    await pressed(chat, json.dumps(value), where="C2")  # the card of another chat
    for strange in ("{}", "no", '{"card": "1", "does": "approve"}'):
        body = chat.slacker.press(strange)
        assert (await chat.slacker.post("interact", body)).status_code == 200
    await quiet(chat.deck)
    assert subject not in chat.board.answered


async def test_a_press_is_proved_and_counts_once(chat):
    subject, there = await asked(chat)
    body = chat.slacker.press(there["C1"]["Approve"])
    assert (await chat.slacker.post("interact", body, slack_headers(body, secret="no"))).status_code == 401
    for _ in range(2):
        assert (await chat.slacker.post("interact", body)).status_code == 200
    await quiet(chat.deck)
    assert subject in chat.board.answered
    assert chat.slack.seen_by == []


async def test_progress_is_edited_and_news_are_told_where_the_task_began(chat):
    await chat.slacker.say("develop it")
    db = chat.deck.instance.db
    for text in ("assigned to box-1", "stage 1 of 2", "stage 2 of 2", "stage 2 of 2"):
        await db.write(posting.progress, 1, 42, text)
    await quiet(chat.deck)
    ((_, card),) = chat.slack.cards()
    assert "stage 2 of 2" in card["text"]
    before = len(chat.slack.said)

    def done(tx):
        return len(tell(tx, "task_completed", [chat.people["ann"][0], chat.people["lea"][0]], "Task #42 is done", "",
                        task_id=42, organization_id=1))  # fmt: skip

    assert await db.write(done) == 2
    await quiet(chat.deck)
    assert chat.slack.said[before:] == ["Task #42 is done"]
