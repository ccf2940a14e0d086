"""What happens to a task and to a machine is told to its people, in its chats and on cards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from fakes.chat.slack import buttons
from quarterdeck.access import grants
from quarterdeck.kernel import events
from quarterdeck.notify.bots import posting
from quarterdeck.surfaces.chat.actions import TaskSeen
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work.model import Gate, Task
from support import own_roles
from support.chats import quiet


@pytest.fixture
async def task(chat):
    """Ann's task in WEB, begun in the chat C1; lea maintains the project."""
    db, bot = chat.deck.instance.db, chat.bots["slack"]["id"]

    def verb(tx):
        part = tx.first(select(TaskProject).where(TaskProject.key == "WEB"))
        made = tx.add(
            Task(uid=tx.ids.uid(), organization_id=1, project_id=part.project_id, description="fix it",
                 status="running", agent_type="claude", developer_id=chat.people["ann"][0],
                 created_by=chat.people["ann"][0], source="bot", priority=0, depends_on=[], branch="b",
                 base_branch="main", pipeline=[], from_stage=0, attempt=0, input_tokens=0, output_tokens=0,
                 created_at=tx.now, updated_at=tx.now)
        )  # fmt: skip
        posting.remember(tx, bot, 1, made.id, "C1")
        access = chat.deck.instance.access
        grants.give(tx, access, chat.people["lea"][0], 1, "tasks:maintainer", project_id=part.project_id)
        return made.id

    return await db.write(verb)


async def happens(chat, task_id, word, message="", organization_id=1, stream="task", **data):
    told = {"message": message, **data}
    await chat.deck.instance.db.write(
        lambda tx: events.append(tx, f"{stream}:{task_id}", word, told, organization_id=organization_id)
    )
    await quiet(chat.deck)


async def gate(chat, task_id, kind, **more):
    def verb(tx):
        return tx.add(
            Gate(uid=tx.ids.uid(), task_id=task_id, organization_id=1, attempt=0, position=0, stage_name="ship",
                 kind=kind, prompt="Ship it?", choices=more.get("choices", []), on_timeout="fail", asked_at=tx.now,
                 expires_at=tx.now + timedelta(minutes=30), closed_at=more.get("closed_at"))
        ).id  # fmt: skip

    return await chat.deck.instance.db.write(verb)


async def list_of(chat, name):
    found = await chat.crew.ok("GET", "/api/web/notifications", token=chat.people[name][1])
    return [(one["type"], one["title"], one["taskId"], one["projectKey"]) for one in found["items"]]


async def test_links_lead_where_the_settings_say(chat, task):
    async def newest():
        await happens(chat, task, "status_change", "The agent left.", to="failed")
        return (await chat.crew.ok("GET", "/api/web/notifications", token=chat.people["ann"][1]))["items"][0]["link"]

    own = await newest()
    assert own.endswith(f"/console/tasks/{task}")
    await chat.crew.ok("PUT", "/api/admin/settings", {"webUrl": "https://deck.example.com/"})
    assert await newest() == f"https://deck.example.com/console/tasks/{task}" != own


async def test_a_task_tells_its_owner_and_the_chat_that_it_began_in(chat, task):
    await happens(chat, task, "status_change", "It runs on box-1.", to="running")
    await happens(chat, task, "stage_change", "Stage test runs.")
    await happens(chat, task, "status_change", "Waits for an answer.", to="suspended", reason="stage_gate")
    assert await list_of(chat, "ann") == []
    ((_, card),) = chat.slack.cards()
    assert card["text"].endswith("Waits for an answer.")
    await happens(chat, task, "status_change", "box-1 is silent.", to="suspended", reason="worker_disconnected")
    await happens(chat, task, "tunnel", "It is there.", state="CONNECTED")
    await happens(chat, task, "status_change", "The agent left.", to="failed")
    assert [one[0] for one in await list_of(chat, "ann")] == ["task_failed", "tunnel_ready", "task_suspended"]
    assert (await list_of(chat, "ann"))[0] == ("task_failed", f"Task #{task} is failed", task, "WEB")
    assert await list_of(chat, "lea") == []
    assert f"Task #{task} is failed\nThe agent left." in chat.slack.said
    before = len(chat.slack.asked)
    await happens(chat, 999_999, "status_change", "", to="failed")
    await happens(chat, "x", "status_change", "", to="failed")
    await happens(chat, task, "status_change", "", to="failed", stream="other")
    assert len(chat.slack.asked) == before


@pytest.mark.parametrize(
    ("kind", "type_", "labels"),
    [
        ("confirm", "confirm_required", ["Approve", "Reject"]),
        ("choice", "confirm_required", ["now", "later", "Reject"]),
        ("input", "input_required", ["Send", "Reject"]),
    ],
)
async def test_a_question_is_put_on_a_card_and_its_answer_shown_there(chat, task, kind, type_, labels):
    number = await gate(chat, task, kind, choices=["now", "later"] if kind == "choice" else [])
    await happens(chat, task, "confirm_requested", "Ship it?", gateId=number, kind=kind)
    for name in ("ann", "lea"):
        assert await list_of(chat, name) == [(type_, f"Task #{task} waits at stage ship", task, "WEB")]
    assert await list_of(chat, "lou") == []
    (card,) = [one for _, one in chat.slack.cards() if buttons(one)]  # C1 is the task's chat and the project's
    assert list(buttons(card)) == labels
    assert "Ship it?" in card["text"]
    await happens(chat, task, "confirm_resolved", "lea answered stage ship.", gateId=number)
    assert not any(buttons(one) for _, one in chat.slack.cards())
    assert any("lea answered stage ship." in one["text"] for _, one in chat.slack.cards())


async def test_a_press_carries_the_question_that_it_answers(chat, task):
    number = await gate(chat, task, "confirm")
    await happens(chat, task, "confirm_requested", "Ship it?", gateId=number, kind="confirm")
    chat.board.tasks[task] = TaskSeen(task, "WEB", "fix it", "suspended")
    value = next(buttons(one) for _, one in chat.slack.cards() if buttons(one))["Reject"]
    assert (await chat.slacker.post("interact", chat.slacker.press(value))).status_code == 200
    await quiet(chat.deck)
    assert chat.board.answered[f"gate:{number}"] == ("ann", False, "")


async def test_no_card_outlives_its_task_or_is_put_for_what_was_answered(chat, task):
    number = await gate(chat, task, "confirm")
    await happens(chat, task, "confirm_requested", "Ship it?", gateId=number, kind="confirm")
    await happens(chat, task, "status_change", "Cancelled by ada.", to="cancelled")
    assert not any(buttons(one) for _, one in chat.slack.cards())
    assert any("Cancelled by ada." in one["text"] for _, one in chat.slack.cards())
    before = len(chat.slack.cards())
    now = chat.deck.instance.db.clock.now()
    closed = await gate(chat, task, "confirm", closed_at=now)
    await happens(chat, task, "confirm_requested", "Ship it?", gateId=closed, kind="confirm")
    assert len(chat.slack.cards()) == before
    assert [one[0] for one in await list_of(chat, "lea")] == ["confirm_required"]


async def test_leads_are_told_of_machines(chat):
    await happens(chat, "w-1", "worker-drained", stream="worker", name="box-1", reason="Its disk is full.")
    await happens(chat, "w-1", "worker-agent-degraded", stream="worker", name="box-1", agent="claude")
    await happens(chat, "w-1", "worker-agent-degraded", stream="worker", name="box-1", agent="codex")
    await happens(chat, "w-2", "worker-drained", stream="worker", name="box-2", organization_id=2)
    await happens(chat, "w-3", "worker-offline", stream="worker", name="box-3", reason="Nothing was heard of it.")
    assert [one[:2] for one in await list_of(chat, "lea")] == [
        ("machine_offline", "The machine box-3 is offline"),
        ("agent_degraded", "codex is degraded on box-1"),
        ("agent_degraded", "claude is degraded on box-1"),
        ("machine_draining", "The machine box-1 takes no new tasks"),
    ]
    assert await list_of(chat, "ann") == []


async def test_who_may_drain_machines_by_a_role_of_their_own_is_told_of_them(chat):
    instance, (lou, _) = chat.deck.instance, chat.people["lou"]
    await instance.db.write(own_roles.held, instance.access, lou, "tasks:machines.drain")
    await happens(chat, "w-1", "worker-drained", stream="worker", name="box-1", reason="Its disk is full.")
    told = [("machine_draining", "The machine box-1 takes no new tasks", None, None)]
    assert await list_of(chat, "lou") == await list_of(chat, "lea") == told
