"""Notifications: who is told, what is collapsed, muted and mailed, and reading them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quarterdeck.identity.model import User
from quarterdeck.notify import retention, tell
from quarterdeck.notify.telling import topic
from support.chats import quiet
from support.crew import Crew
from support.deck import running, signed_in
from support.mailbox import mailbox

LIST = "/api/web/notifications"
CHOICES = f"{LIST}/preferences"


@pytest.fixture
async def crew(tmp_path, database_address):
    with mailbox() as box:
        async with running(tmp_path, database_address, **box.settings) as deck:
            made = Crew(await signed_in(deck))
            made.box = box
            yield made


async def told(crew, who, kind="task_failed", title="Task #42 failed", body="It did.", **more):
    def verb(tx):
        return [row.id for row in tell(tx, kind, who, title, body, **{"organization_id": 1, **more})]

    return await crew.db.write(verb)


async def test_those_who_belong_here_are_told_in_their_own_list(crew):
    ann, token = await crew.person("ann", "tasks:developer")
    _, bobs = await crew.person("bob", "tasks:developer")
    eve, _ = await crew.person("eve", "tasks:admin", organization="org_elsewhere")
    with crew.deck.instance.bus.subscribe(topic(ann)) as inbox:
        (number,) = await told(crew, [ann, ann, eve, 999_999], task_id=42, project_key="WEB", link="/console/tasks/42")
        message = await inbox.get(timeout=30)
    assert message is not None
    assert (message.topic, message.payload) == (f"notify:{ann}", 1)
    found = await crew.ok("GET", LIST, token=token)
    assert (found["total"], found["unreadCount"], found["nextCursor"]) == (1, 1, None)
    (one,) = found["items"]
    assert one["createdAt"]
    assert {name: value for name, value in one.items() if name != "createdAt"} == {
        "id": number, "type": "task_failed", "title": "Task #42 failed", "body": "It did.", "taskId": 42,
        "projectKey": "WEB", "link": "http://127.0.0.1:8700/console/tasks/42", "repeats": 0, "isRead": False,
        "readAt": None,
    }  # fmt: skip
    assert (await crew.ok("GET", LIST, token=bobs))["items"] == []
    await crew.refused(404, "NOTIFICATION_NOT_FOUND", "POST", f"{LIST}/{number}/read", {}, token=bobs)
    for nobody in ("0", "-1", "x", "9" * 30, "read-all"):
        await crew.refused(404, "NOTIFICATION_NOT_FOUND", "POST", f"{LIST}/{nobody}/read", {}, token=bobs)


async def test_reading_one_and_reading_all(crew):
    ann, token = await crew.person("ann", "tasks:developer")
    numbers = [(await told(crew, [ann], title=f"Task #{n}", task_id=n))[0] for n in range(5)]
    first = await crew.ok("GET", f"{LIST}?limit=2", token=token)
    assert [one["id"] for one in first["items"]] == numbers[:2:-1]
    rest = await crew.ok("GET", f"{LIST}?limit=3&cursor={first['nextCursor']}", token=token)
    assert [one["id"] for one in rest["items"]] == numbers[2::-1]
    assert rest["nextCursor"] is None
    read = await crew.once("notification.read", "POST", f"{LIST}/{numbers[0]}/read", token=token, actor="ann")
    assert read["isRead"] is True
    before = len(await crew.told())
    assert await crew.ok("POST", f"{LIST}/{numbers[0]}/read", token=token) == read
    assert len(await crew.told()) == before
    found = await crew.ok("GET", LIST, token=token)
    assert (len(found["items"]), found["total"], found["unreadCount"]) == (4, 4, 4)
    everything = await crew.ok("GET", f"{LIST}?all=true", token=token)
    assert (len(everything["items"]), everything["total"], everything["unreadCount"]) == (5, 5, 4)
    assert await crew.once("notification.all-read", "POST", f"{LIST}/read-all", token=token, actor="ann") == {
        "count": 4
    }
    assert await crew.ok("POST", f"{LIST}/read-all", token=token) == {"count": 0}
    assert (await crew.ok("GET", LIST, token=token))["unreadCount"] == 0
    await crew.refused(400, "VALIDATION_ERROR", "GET", f"{LIST}?cursor=nonsense", token=token)


async def test_the_same_within_a_minute_is_one(crew):
    ann, token = await crew.person("ann", "tasks:developer")
    (first,) = await told(crew, [ann], "agent_degraded", "claude is degraded", "once", collapse_key="degraded:box-1")
    await crew.ok("POST", f"{LIST}/{first}/read", token=token)
    (again,) = await told(crew, [ann], "agent_degraded", "claude is degraded", "twice", collapse_key="degraded:box-1")
    assert again == first
    (other,) = await told(crew, [ann], "agent_degraded", "claude is degraded", "", collapse_key="degraded:box-2")
    assert other != first
    shown = {one["id"]: one for one in (await crew.ok("GET", LIST, token=token))["items"]}
    assert (shown[first]["repeats"], shown[first]["body"], shown[first]["isRead"]) == (1, "twice", False)
    minute = int(timedelta(seconds=61).total_seconds() * 1_000_000)
    await crew.db.write(
        lambda tx: tx.execute(f"UPDATE notify_notifications SET created_at = created_at - {minute}") and None
    )
    (later,) = await told(crew, [ann], "agent_degraded", "claude is degraded", "", collapse_key="degraded:box-1")
    assert later not in {first, other}


async def test_what_is_muted_is_not_told_and_what_is_chosen_is_mailed_once(crew):
    ann, token = await crew.person("ann", "tasks:developer")

    def addressed(tx):
        tx.get(User, ann).email = "ann@example.com"
        tx.flush()

    await crew.db.write(addressed)
    shown = await crew.ok("GET", CHOICES, token=token)
    assert (shown["muted"], shown["email"]) == ([], [])
    assert "task_failed" in shown["types"]
    body = {"muted": ["tunnel_ready"], "email": ["task_failed"]}
    chosen = await crew.once("notification-choices.changed", "PUT", CHOICES, body, token=token, actor="ann")
    assert (chosen["muted"], chosen["email"]) == (["tunnel_ready"], ["task_failed"])
    before = len(await crew.told())
    assert await crew.ok("PUT", CHOICES, {"muted": ["tunnel_ready"]}, token=token) == chosen
    assert len(await crew.told()) == before
    await crew.refused(400, "NOTIFICATION_TYPE_UNKNOWN", "PUT", CHOICES, {"muted": ["everything"]}, token=token)
    assert await told(crew, [ann], "tunnel_ready", "Ready", "") == []
    await told(crew, [ann], title="Task <42> failed", task_id=42, link="/console/tasks/42")
    await told(crew, [ann], title="Task <42> failed", task_id=42, link="/console/tasks/42")
    letter = await crew.box.wait(1)
    await quiet(crew.deck)
    assert len(crew.box.letters) == 1
    assert letter["To"] == "ann@example.com"
    assert letter["Subject"] == "Quarterdeck: Task <42> failed"
    parts = {one.get_content_type(): one.get_payload(decode=True).decode() for one in letter.get_payload()}
    assert "http://127.0.0.1:8700/console/tasks/42" in parts["text/plain"]
    assert "Task &lt;42&gt; failed" in parts["text/html"]
    assert len((await crew.ok("GET", LIST, token=token))["items"]) == 1


async def test_choices_do_not_outlive_one_another_surfaces_preferences(crew):
    _, token = await crew.person("ann", "tasks:developer")
    await crew.ok("PUT", "/api/web/profile", {"gitName": "Ann"}, token=token)
    await crew.ok("PUT", CHOICES, {"email": ["task_failed"]}, token=token)
    await crew.ok("PUT", CHOICES, {"email": []}, token=token)
    assert (await crew.ok("GET", "/api/web/profile", token=token))["gitName"] == "Ann"


async def test_who_is_gone_is_told_nothing(crew):
    ann, _ = await crew.person("ann", "tasks:developer")
    await crew.ok("PUT", f"/api/admin/developers/{ann}", {"isActive": False})
    assert await told(crew, [ann]) == []
    with pytest.raises(ValueError, match="no type"):
        await told(crew, [ann], "something_else")


async def test_a_narrowed_token_reads_and_changes_no_choices(crew):
    made = await crew.ok("POST", "/api/web/profile/tokens", {"label": "x", "scopes": ["tasks:read"]}, status=201)
    assert (await crew.ok("GET", LIST, token=made["token"]))["items"] == []
    await crew.refused(403, "TOKEN_NARROWED", "PUT", CHOICES, {"muted": []}, token=made["token"])


async def test_what_is_old_goes(crew):
    ann, token = await crew.person("ann", "tasks:developer")
    await told(crew, [ann])
    later = crew.db.clock.now() + timedelta(days=1)
    assert await crew.db.write(retention.old_notifications, later) == 1
    for verb in (retention.old_deliveries, retention.old_messages, retention.old_chats):
        assert await crew.db.write(verb, later) == 0
    assert (await crew.ok("GET", f"{LIST}?all=true", token=token))["items"] == []
