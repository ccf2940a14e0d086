"""Tasks over HTTP: shapes, lists, visibility, answers, events, lines and messages."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.logs import Line
from quarterdeck.tasks.orders import GateReport
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work import finishing, gates
from quarterdeck.tasks.work.holding import held
from quarterdeck.tasks.work.transitions import ASSIGNED, RUNNING, move
from quarterdeck.workspace.model import Project
from support.deck import HOME

TASKS = "/api/web/tasks"
FIELDS = {
    "id", "projectKey", "description", "status", "suspendReason", "queuedReason", "agentType", "machineId", "workerId",
    "machineName", "workerName", "requestedMachineId", "requestedWorkerId", "developerId", "developerName", "source",
    "priority", "dependsOn", "branch", "baseBranch", "commitSha", "mrUrl", "pipeline", "currentStage",
    "currentStageName", "stages", "attempt", "inputTokens", "outputTokens", "costUsd", "budgetUsd", "errorCode",
    "errorMessage", "resumeAt", "createdAt", "assignedAt", "startedAt", "suspendedAt", "finishedAt", "updatedAt",
}  # fmt: skip


async def project(crew, key="WEB", organization=HOME):
    """A project of tasks, by its row id of workspace."""

    def verb(tx: Tx) -> int:
        place = tx.one(select(Organization).where(Organization.ref == organization), what="organization")
        row = tx.add(
            Project(
                uid=tx.ids.uid(), ref=tx.ids.ref("prj"), organization_id=place.id, name=key, slug=key.lower(),
                created_at=tx.now,
            )
        )  # fmt: skip
        tx.add(
            TaskProject(
                uid=tx.ids.uid(), project_id=row.id, organization_id=place.id, key=key, default_branch="main",
                repo_url="https://git.example.com/a.git", merge_requests=True, created_at=tx.now,
            )
        )  # fmt: skip
        return row.id

    return await crew.db.write(verb)


async def member(crew, name, of, role="tasks:member", *roles):
    user_id, token = await crew.person(name, *(roles or ("tasks:developer",)))

    def verb(tx: Tx) -> None:
        place = tx.one(select(Organization).where(Organization.ref == HOME), what="organization")
        grants.give(tx, crew.deck.instance.access, user_id, place.id, role, project_id=of)

    await crew.db.write(verb)
    return user_id, token


async def made(crew, key="WEB", **more):
    options = {name: more.pop(name) for name in ("token", "headers") if name in more}
    body = {"projectKey": key, "description": "Fix the login", **more}
    return await crew.ok("POST", TASKS, body, status=201, **options)


async def begun(crew, task_id, then=None):
    def verb(tx: Tx) -> None:
        task = held(tx, task_id)
        move(tx, task, ASSIGNED, "It is given to a machine.")
        move(tx, task, RUNNING, "It runs.")
        if then is not None:
            then(tx, task)

    await crew.db.write(verb)


def asks(kind="confirm", index=0, **more):
    report = GateReport(index=index, kind=kind, prompt="Go on?", seconds=600, **more)
    return lambda tx, task: gates.ask(tx, task, report)


async def test_a_new_task_in_every_field(crew):
    await project(crew)
    task = await made(crew, "web")
    assert set(task) == FIELDS
    known = {
        "projectKey": "WEB", "status": "queued", "agentType": "claude", "developerName": "ada", "source": "web",
        "branch": f"quarterdeck/{task['id']}-fix-the-login", "baseBranch": "main", "attempt": 1, "machineId": None,
        "pipeline": [{"name": "develop", "command": "/develop {description}", "timeout": 3600}],
    }  # fmt: skip
    assert {name: task[name] for name in known} == known
    assert [(one["index"], one["name"], one["status"]) for one in task["stages"]] == [(0, "develop", "pending")]
    async with asyncio.timeout(30):  # the dispatcher tells why it waits
        while (found := await crew.ok("GET", f"{TASKS}/{task['id']}"))["queuedReason"] is None:
            await asyncio.sleep(0.05)
    assert found["queuedReason"] == "No machine is online."
    # Its own pipeline, and what else can be said.
    first = task["id"]
    stages = [{"name": "a", "command": "x", "confirm": True}, {"name": "b", "command": "y", "choices": ["1", "2"]}]
    task = await made(
        crew, pipeline=stages, priority=3, dependsOn=[task["id"]], branch="feature/x", budgetUsd=2.5,
        agentType="codex", workerId=None, headers={"user-agent": "ov/1.0.28"},
    )  # fmt: skip
    assert task["pipeline"] == stages
    told = (task["priority"], task["dependsOn"], task["branch"], task["budgetUsd"], task["agentType"], task["source"])
    assert told == (3, [first], "feature/x", 2.5, "codex", "cli")


async def test_what_is_refused_and_what_a_key_makes_once(crew):
    await project(crew)
    wrong = {"name": "a", "command": "x", "confirm": True, "input": True}
    for status, code, body in (
        (400, "VALIDATION_ERROR", {"projectKey": "WEB", "description": " "}),
        (404, "PROJECT_NOT_FOUND", {"projectKey": "NONE", "description": "x"}),
        (404, "WORKER_NOT_FOUND", {"projectKey": "WEB", "description": "x", "machineId": "none"}),
        (404, "DEVELOPER_NOT_FOUND", {"projectKey": "WEB", "description": "x", "developerId": 99999}),
        (404, "TASK_NOT_FOUND", {"projectKey": "WEB", "description": "x", "dependsOn": [99999]}),
        (400, "BRANCH_INVALID", {"projectKey": "WEB", "description": "x", "branch": "a..b"}),
        (400, "PIPELINE_INVALID", {"projectKey": "WEB", "description": "x", "pipeline": [wrong]}),
    ):
        await crew.refused(status, code, "POST", TASKS, body)
    assert (await crew.ok("GET", TASKS))["total"] == 0
    # The same key makes one task.
    key = {"headers": {"idempotency-key": "once"}}
    first, second = await made(crew, **key), await made(crew, **key)
    assert first["id"] == second["id"]
    await crew.refused(409, "CONFLICT", "POST", TASKS, {"projectKey": "WEB", "description": "other"}, **key)
    of = (await crew.db.read(lambda tx: tx.first(select(TaskProject)))).project_id
    _, token = await member(crew, "bob", of)
    assert (await made(crew, token=token, **key))["id"] != first["id"], "a key is its caller's alone"


async def test_both_ways_to_page_and_every_filter(crew):
    await project(crew)
    await project(crew, "API")
    ids = [
        (await made(crew, "API" if number % 2 else "WEB", description=f"Change {number}"))["id"] for number in range(6)
    ]
    await crew.ok("POST", f"{TASKS}/{ids[0]}/cancel")
    await begun(crew, ids[1], lambda tx, task: finishing.fail(tx, task, "stage_timeout", "Too long."))

    async def found(query):
        return [one["id"] for one in (await crew.ok("GET", f"{TASKS}?{query}"))["items"]]

    newest = ids[::-1]
    page = await crew.ok("GET", f"{TASKS}?limit=4")
    assert ([one["id"] for one in page["items"]], page["total"]) == (newest[:4], 6)
    assert await found(f"limit=4&cursor={page['nextCursor']}") == newest[4:]
    assert await found("limit=4&page=2") == newest[4:]
    assert await found(f"limit=4&page=1&cursor={page['nextCursor']}") == newest[4:], "the cursor wins"
    assert await found("status=FAILED") == [ids[1]]
    assert await found("status=failed,Cancelled") == [ids[1], ids[0]]
    assert await found("status=failed&status=cancelled") == [ids[1], ids[0]]
    assert await found("projectKey=api") == [ids[5], ids[3], ids[1]]
    assert await found("project=API&status=queued") == [ids[5], ids[3]]
    assert await found("q=change 4") == [ids[4]]
    assert await found("developerId=99999") == []
    assert await found("machineId=nobody") == []
    assert await found("mine=true") == newest
    await crew.refused(400, "VALIDATION_ERROR", "GET", f"{TASKS}?status=dancing")
    await crew.refused(404, "WORKER_NOT_FOUND", "GET", "/api/web/workers/nobody/tasks")


async def test_tasks_of_other_projects_are_not_there(crew):
    web, api = await project(crew), await project(crew, "API")
    _, bob = await member(crew, "bob", web)
    _, eve = await crew.person("eve", "tasks:developer")
    _, max_ = await member(crew, "max", api, "tasks:maintainer")
    theirs = (await made(crew, "API"))["id"]
    own = (await made(crew, token=bob))["id"]
    for token, seen in ((bob, [own]), (eve, []), (max_, [theirs]), ("", [own, theirs])):
        assert [one["id"] for one in (await crew.ok("GET", TASKS, token=token))["items"]] == seen
    for path in ("", "/events", "/logs", "/pending-confirm", "/messages"):
        await crew.refused(404, "TASK_NOT_FOUND", "GET", f"{TASKS}/{theirs}{path}", token=bob)
    bodies = {"cancel": {}, "retry": {}, "confirm-stage": {"result": "confirm"}, "messages": {"text": "x"}}
    for verb, body in bodies.items():
        await crew.refused(404, "TASK_NOT_FOUND", "POST", f"{TASKS}/{theirs}/{verb}", body, token=bob)
    await crew.refused(403, "PROJECT_NOT_YOURS", "POST", TASKS, {"projectKey": "API", "description": "x"}, token=bob)
    await crew.refused(404, "TASK_NOT_FOUND", "GET", f"{TASKS}/{own}", token=eve)


async def test_who_may_cancel_retry_and_answer(crew):
    web = await project(crew)
    _, owner = await member(crew, "owner", web)
    _, other = await member(crew, "other", web)
    _, keeper = await member(crew, "keeper", web, "tasks:maintainer")
    _, lead = await member(crew, "lead", web, "tasks:member", "tasks:lead")
    task = (await made(crew, token=owner))["id"]
    await begun(crew, task, asks())
    confirm = {"stageIndex": 0, "result": "confirm"}
    for token in (other, lead):
        await crew.refused(403, "TASK_NOT_YOURS", "POST", f"{TASKS}/{task}/confirm-stage", confirm, token=token)
    assert (await crew.ok("POST", f"{TASKS}/{task}/confirm-stage", confirm, token=keeper))["status"] == "running"
    for token in (other, keeper):
        await crew.refused(403, "TASK_NOT_YOURS", "POST", f"{TASKS}/{task}/cancel", token=token)
    await crew.db.write(lambda tx: finishing.fail(tx, held(tx, task), "agent_exited", "It ended."))
    for token in (other, keeper, lead):
        await crew.refused(403, "TASK_NOT_YOURS", "POST", f"{TASKS}/{task}/retry", {}, token=token)
    assert (await crew.ok("POST", f"{TASKS}/{task}/retry", {}, token=owner))["attempt"] == 2
    assert (await crew.once("task.cancelled", "POST", f"{TASKS}/{task}/cancel", token=lead, actor="lead"))[
        "status"
    ] == ("cancelled")
    await crew.refused(409, "TASK_NOT_CANCELLABLE", "POST", f"{TASKS}/{task}/cancel")
    await crew.refused(409, "TASK_NOT_RETRYABLE", "POST", f"{TASKS}/{task}/retry", {})


FORMS = (
    {"stageIndex": 0, "result": "confirm"},
    {"stage": 0, "result": "confirm"},
    {"stageName": "develop", "approved": True},
)


async def test_the_three_forms_of_an_answer_and_a_rejection(crew):
    await project(crew)
    for body in FORMS:
        task = (await made(crew))["id"]
        address = f"{TASKS}/{task}/confirm-stage"
        assert await crew.ok("GET", f"{TASKS}/{task}/pending-confirm") == {"pending": False}
        await begun(crew, task, asks())
        waits = await crew.ok("GET", f"{TASKS}/{task}/pending-confirm")
        assert {**waits, "requestedAt": "", "expiresAt": ""} == {
            "pending": True, "taskId": task, "stageIndex": 0, "stageName": "develop", "kind": "confirm",
            "prompt": "Go on?", "choices": None, "requestedAt": "", "expiresAt": "",
        }  # fmt: skip
        found = await crew.ok("GET", f"{TASKS}/{task}")
        assert (found["status"], found["suspendReason"]) == ("suspended", "stage_gate")
        await crew.refused(400, "ANSWER_INVALID", "POST", address, {**body, "result": "perhaps"})
        assert (await crew.ok("POST", address, body))["status"] == "running"
        late = await crew.refused(409, "GATE_ANSWERED", "POST", address, body)
        assert "by ada" in late["message"]
        assert await crew.ok("GET", f"{TASKS}/{task}/pending-confirm") == {"pending": False}
    task = (await made(crew))["id"]
    await begun(crew, task, asks())
    found = await crew.ok("POST", f"{TASKS}/{task}/confirm-stage", {"stageName": "develop", "approved": False})
    assert (found["status"], found["errorCode"]) == ("cancelled", "rejected")


async def test_events_in_order_by_type_and_by_words(crew):
    await project(crew)
    task = (await made(crew))["id"]
    await begun(crew, task, asks("choice", choices=("red", "blue")))
    await crew.ok("POST", f"{TASKS}/{task}/confirm-stage", {"stageIndex": 0, "result": "blue"})
    found = await crew.ok("GET", f"{TASKS}/{task}/events")
    assert [one["seq"] for one in found["items"]] == list(range(1, found["total"] + 1))
    assert (found["limit"], found["offset"]) == (20, 0)
    answered = next(one for one in found["items"] if one["type"] == "confirm_resolved")
    assert (answered["actor"], answered["stageIndex"], answered["stageName"]) == ("ada", 0, "develop")
    assert answered["data"]["result"] == "blue"
    rest = await crew.ok("GET", f"{TASKS}/{task}/events?offset=2&limit=1")
    assert rest["items"] == found["items"][2:3]
    only = await crew.ok("GET", f"{TASKS}/{task}/events?type=Confirm_Requested,confirm_resolved")
    assert [one["type"] for one in only["items"]] == ["confirm_requested", "confirm_resolved"]
    words = await crew.ok("GET", f"{TASKS}/{task}/events?search=ANSWERED STAGE")
    assert words["total"] == 2
    assert all("answered stage" in one["message"] for one in words["items"])


async def test_lines_as_json_and_as_text(crew):
    await project(crew)
    task = (await made(crew))["id"]
    when = datetime(2026, 1, 1, tzinfo=UTC)
    lines = [Line(when, "application", "stdout" if n else "system", None, "info", f"line {n}") for n in range(5)]
    await crew.deck.instance.logs.store(f"task:{task}", lines)
    found = await crew.ok("GET", f"{TASKS}/{task}/logs?offset=1&limit=2")
    assert (found["total"], found["offset"], found["limit"]) == (5, 1, 2)
    assert [(one["seq"], one["stream"], one["text"]) for one in found["items"]] == [
        (2, "pty", "line 1"),
        (3, "pty", "line 2"),
    ]
    text = await crew.send("GET", f"{TASKS}/{task}/logs?format=text&offset=3")
    assert text.text == "line 3\nline 4\n"
    assert text.headers["content-type"].startswith("text/plain")
    assert (await crew.ok("GET", f"{TASKS}/{task}/logs?limit=1000"))["items"][0]["stream"] == "system"
    assert (await crew.send("GET", f"{TASKS}/{task}/logs?limit=1001")).status_code == 400


async def test_messages_are_kept_in_order(crew):
    await project(crew)
    task = (await made(crew))["id"]
    first = await crew.once("task.messaged", "POST", f"{TASKS}/{task}/messages", {"text": "One."}, status=201)
    assert (first["text"], first["author"], first["deliveredAt"]) == ("One.", "ada", None)
    await crew.ok("POST", f"{TASKS}/{task}/messages", {"text": "Two."}, status=201)
    found = await crew.ok("GET", f"{TASKS}/{task}/messages?limit=1")
    assert ([one["text"] for one in found["items"]], found["total"]) == (["Two."], 2)
    rest = await crew.ok("GET", f"{TASKS}/{task}/messages?cursor={found['nextCursor']}")
    assert [one["text"] for one in rest["items"]] == ["One."]
    await crew.ok("POST", f"{TASKS}/{task}/cancel")
    await crew.refused(409, "TASK_ENDED", "POST", f"{TASKS}/{task}/messages", {"text": "Three."})
