"""Projects of agent tasks: made, found, changed and deleted over the API."""

from __future__ import annotations

import json

from sqlalchemy import func, select

from quarterdeck.tasks.projects import secrets
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.settings.defaults import DEFAULTS
from quarterdeck.tasks.work.model import Task
from support import task_rows

ADMIN, WEB = "/api/admin/projects", "/api/web/projects"
SHOP = {"key": "SHOP", "name": "Web shop", "repoUrl": "https://git.example.com/shop.git"}
STAGE = {"name": "develop", "command": "/develop {description}", "timeout": 60}
SHOWN = {
    "key": "SHOP", "name": "Web shop", "description": None, "repoUrl": SHOP["repoUrl"], "sshUrl": None,
    "defaultBranch": "main", "agentType": "claude", "customAgent": None, "pipeline": DEFAULTS["defaultPipeline"],
    "defaults": ["agentType", "pipeline"], "hasGitToken": False, "forge": None, "forgeUrl": None,
    "mergeRequests": True, "setupCommand": None, "cleanupCommand": None, "environmentKeys": [], "maxTasks": 0,
    "budgetUsd": None, "taskCount": 0, "memberCount": 0, "members": [], "role": None, "isArchived": False,
    "lastActivityAt": None,
}  # fmt: skip


async def made(crew, key="SHOP", name=None, **given):
    body = {"key": key, "name": name or f"The {key}", "repoUrl": SHOP["repoUrl"], **given}
    return await crew.ok("POST", ADMIN, body, status=201)


async def test_a_project_is_made_with_the_project_that_it_is_a_part_of(crew):
    shown = await crew.once("project.created", "POST", ADMIN, SHOP, status=201)
    assert {key: value for key, value in shown.items() if key != "createdAt"} == SHOWN
    assert json.loads((await crew.told())[-1]["detail"]) == {"name": "Web shop", "slug": "web-shop", "taskKey": "SHOP"}
    for path in (f"{WEB}/SHOP", f"{WEB}/shop", f"{WEB}/sHoP"):
        assert await crew.ok("GET", path) == shown
    listed = {"items": [shown], "nextCursor": None, "total": 1}
    assert await crew.ok("GET", WEB) == await crew.ok("GET", ADMIN) == listed
    assert [one["slug"] for one in (await crew.ok("GET", "/api/projects"))["items"]] == ["web-shop"]
    told = (await crew.ok("GET", "/api/admin/audit-logs", params={"action": "project.create"}))["items"]
    assert [one["action"] for one in told] == ["project.create"]


async def test_a_project_that_deploys_takes_tasks_too(crew):
    ref = (await crew.ok("POST", "/api/projects", {"name": "Web shop"}, status=201))["id"]
    shown = await crew.once("task-project.created", "POST", ADMIN, {**SHOP, "name": "web SHOP"}, status=201)
    assert shown["name"] == "Web shop"
    assert [one["id"] for one in (await crew.ok("GET", "/api/projects"))["items"]] == [ref]
    await crew.refused(409, "PROJECT_NAME_TAKEN", "POST", ADMIN, {**SHOP, "key": "OTHER"})
    await crew.ok("DELETE", f"{ADMIN}/SHOP")
    await crew.ok("POST", f"/api/projects/{ref}/archive", {})
    await crew.refused(409, "PROJECT_ARCHIVED", "POST", ADMIN, SHOP)


async def test_keys_are_one_in_capitals_or_not_and_names_are_lines(crew):
    await made(crew)
    for key in ("SHOP", "shop", "Shop"):
        await crew.refused(409, "PROJECT_KEY_TAKEN", "POST", ADMIN, {**SHOP, "key": key, "name": "Another"})
    for key in ("-", "_x", "a b", "a/b", "é", "a.b"):
        await crew.refused(400, "PROJECT_KEY_INVALID", "POST", ADMIN, {**SHOP, "key": key})
    for body in (
        {**SHOP, "key": ""},
        {**SHOP, "key": "x" * 65},
        {**SHOP, "key": "A", "name": " "},
        {**SHOP, "key": "A", "name": "a\nb"},
        {**SHOP, "key": "A", "name": "x" * 201},
        {"key": "A", "name": "A"},
        {"key": "A", "repoUrl": SHOP["repoUrl"]},
        {**SHOP, "key": "A", "name": "A", "maxTasks": -1},
        {**SHOP, "key": "A", "name": "A", "forge": "sourcehut"},
        {**SHOP, "key": "A", "name": "A", "customAgent": {"argv": ["a"], "surprise": 1}},
        {**SHOP, "key": "A", "name": "A", "pipeline": [{**STAGE, "retries": 11}]},
        {**SHOP, "key": "A", "name": "A", "pipeline": [{**STAGE, "timeout": "60"}]},
        {**SHOP, "key": "A", "name": "A", "pipeline": {}},
    ):
        await crew.refused(400, "VALIDATION_ERROR", "POST", ADMIN, body)
    await crew.refused(400, "ADDRESS_INVALID", "POST", ADMIN, {**SHOP, "key": "A", "repoUrl": "file:///etc"})
    await made(crew, "日本".encode("ascii", "ignore").decode() or "JP", name="日本語")
    assert [one["name"] for one in (await crew.ok("GET", WEB))["items"]] == ["日本語", "The SHOP"]


async def test_a_wrong_pipeline_is_told_by_the_path_of_what_is_wrong(crew):
    await made(crew)
    for stages, place in (
        ([], "pipeline:"),
        ([STAGE, STAGE], "pipeline[1].name"),
        ([{**STAGE, "confirm": True, "input": True}], "pipeline[0]:"),
        ([{**STAGE, "input": True, "onTimeout": "fallback"}], "pipeline[0].fallbackResult"),
    ):
        told = await crew.refused(400, "PIPELINE_INVALID", "PUT", f"{WEB}/SHOP", {"pipeline": stages})
        assert told["message"].startswith(place), told["message"]
    told = await crew.refused(400, "VALIDATION_ERROR", "PUT", f"{WEB}/SHOP", {"pipeline": [{"name": "a"}]})
    assert told["message"][0].startswith("pipeline.0.command") or "pipeline" in told["message"][0]
    assert (await crew.ok("GET", f"{WEB}/SHOP"))["pipeline"] == DEFAULTS["defaultPipeline"]


async def test_what_is_given_is_changed_and_nothing_else(crew):
    first = await made(crew)
    pipeline = [
        {**STAGE, "choices": ["a", "b"], "confirmTimeout": 9, "onTimeout": "fallback", "fallbackResult": "a"},
        {
            "name": "ship",
            "command": "/ship",
            "retries": 1,
            "continueOnError": True,
            "agentType": "codex",
            "marker": "X",
        },
    ]
    agent = {"argv": ["reviewer"], "env": {"A": "b"}, "readyPattern": "^>", "submitKey": "\r"}
    news = {
        "description": "All of it", "sshUrl": "git@git.example.com:shop.git", "defaultBranch": "develop",
        "agentType": "custom:reviewer", "customAgent": agent, "pipeline": pipeline, "forge": "gitea",
        "forgeUrl": "http://127.0.0.1:3000", "mergeRequests": False, "setupCommand": "make deps",
        "cleanupCommand": "make clean", "maxTasks": 3, "budgetUsd": 2.5,
    }  # fmt: skip
    changed = await crew.ok("PUT", f"{WEB}/shop", news)
    assert changed == {**first, **news, "defaults": []}
    before = len(await crew.told())
    assert await crew.ok("PUT", f"{WEB}/SHOP", news) == changed
    assert await crew.ok("PUT", f"{ADMIN}/SHOP", {}) == changed
    assert len(await crew.told()) == before
    back = dict.fromkeys(("agentType", "customAgent", "pipeline", "sshUrl", "forge", "forgeUrl", "budgetUsd"))
    empty = {**back, "setupCommand": None, "cleanupCommand": "", "description": None}
    kept = {"defaultBranch": "develop", "mergeRequests": False, "maxTasks": 3}
    await crew.ok("PUT", f"{ADMIN}/SHOP", empty)
    assert await crew.ok("GET", f"{WEB}/SHOP") == {**first, **kept}
    renamed = await crew.once("project.renamed", "PUT", f"{WEB}/SHOP", {"name": "Another name"})
    assert renamed["name"] == "Another name"
    await made(crew, "OTHER")
    await crew.refused(409, "PROJECT_SLUG_CONFLICT", "PUT", f"{WEB}/SHOP", {"name": "the other"})


async def test_secrets_go_in_and_never_come_out(crew):
    await made(crew, environment={"API_KEY": "s3cr3t-one", "MODE": "fast"})
    answer = await crew.once("task-project.changed", "PUT", f"{WEB}/SHOP", {"environment": {"MODE": None, "B": "t"}})
    assert answer["environmentKeys"] == ["API_KEY", "B"]
    path, token = f"{WEB}/SHOP/git-token", "glpat-s3cr3t"
    assert await crew.once("task-project.git-token-set", "PUT", path, {"token": token}) == {"hasGitToken": True}
    before = len(await crew.told())
    assert await crew.ok("PUT", path, {"token": f" {token}\n"}) == {"hasGitToken": True}
    assert await crew.ok("PUT", f"{WEB}/SHOP", {"environment": {"B": "t", "MODE": None}}) == {
        **answer, "hasGitToken": True
    }  # fmt: skip
    assert len(await crew.told()) == before
    for wrong in ("two words", " ", "a\nb", "schlüssel"):
        await crew.refused(400, "GIT_TOKEN_INVALID", "PUT", path, {"token": wrong})

    def opened(tx):
        part = tx.one(select(TaskProject), what="it")
        told = secrets.git_token(tx, part).reveal(), {name: one.reveal() for name, one in
                                                      secrets.environment(tx, part).items()}  # fmt: skip
        return told, f"{part.git_token}{part.environment}"

    found, stored = await crew.db.read(opened)
    assert found == (token, {"API_KEY": "s3cr3t-one", "B": "t"})
    shown = (await crew.send("GET", f"{WEB}/SHOP")).text + str(await crew.told())
    assert "s3cr3t" not in stored + shown
    assert await crew.once("task-project.git-token-removed", "DELETE", path) == {"hasGitToken": False}
    before = len(await crew.told())
    assert await crew.ok("DELETE", path) == {"hasGitToken": False}
    assert len(await crew.told()) == before


async def test_a_git_token_goes_to_no_other_host_than_it_was_given_for(crew):
    await made(crew, forgeUrl="https://git.example.com/api/v4")
    path = f"{WEB}/SHOP"
    await crew.ok("PUT", f"{path}/git-token", {"token": "glpat-a"})
    for body in (
        {"repoUrl": "https://GIT.example.com:443/other.git"},
        {"sshUrl": "git@elsewhere.example.com:a.git"},
        {"forgeUrl": None},
        {"maxTasks": 2},
    ):
        assert (await crew.ok("PUT", path, body))["hasGitToken"] is True, body
    for body in (
        {"repoUrl": "https://elsewhere.example.com/shop.git"},
        {"repoUrl": "https://elsewhere.example.com:8443/shop.git"},
        {"forgeUrl": "https://api.example.com"},
    ):
        changed = await crew.once("task-project.changed", "PUT", path, body)
        assert changed["hasGitToken"] is False, body
        assert "git_token" in json.loads((await crew.told())[-1]["detail"])["changed"]
        await crew.ok("PUT", f"{path}/git-token", {"token": "glpat-a"})


async def test_lists_are_paged_newest_first(crew):
    for key in ("A", "B", "C"):
        await made(crew, key)
    first = await crew.ok("GET", WEB, params={"limit": 2})
    assert ([one["key"] for one in first["items"]], first["total"]) == (["C", "B"], 3)
    second = await crew.ok("GET", ADMIN, params={"limit": 2, "cursor": first["nextCursor"]})
    assert ([one["key"] for one in second["items"]], second["nextCursor"]) == (["A"], None)


async def test_live_tasks_keep_a_project_and_force_cancels_them(crew):
    await made(crew)
    await crew.db.write(task_rows.task, "SHOP", status="completed")
    live = await crew.db.write(task_rows.task, "SHOP", status="running")
    failed = await crew.db.write(task_rows.task, "SHOP", status="failed")
    told = await crew.refused(409, "PROJECT_HAS_LIVE_TASKS", "DELETE", f"{ADMIN}/SHOP")
    assert "1 live" in told["message"]
    await crew.refused(409, "PROJECT_HAS_LIVE_TASKS", "DELETE", f"{ADMIN}/SHOP", params={"force": "false"})
    gone = await crew.once("task-project.deleted", "DELETE", f"{ADMIN}/shop", params={"force": "true"})
    assert gone == {"success": True}
    await crew.refused(404, "PROJECT_NOT_FOUND", "GET", f"{WEB}/SHOP")
    ended = await crew.db.read(lambda tx: tx.get(Task, live))
    assert (ended.status, ended.error_code) == ("cancelled", "cancelled")
    assert ended.finished_at is not None
    assert [one["name"] for one in (await crew.ok("GET", "/api/projects"))["items"]] == ["The SHOP"]
    assert (await crew.ok("GET", "/api/web/dashboard/recent-tasks"))["items"][0]["projectKey"] is None
    for listed in ("/api/web/tasks", "/api/web/tasks?mine=true"):
        rows = (await crew.ok("GET", listed))["items"]
        assert [(one["id"], one["projectKey"]) for one in rows][:2] == [(failed, None), (live, None)]
    assert (await crew.ok("GET", f"/api/web/tasks/{failed}"))["projectKey"] is None
    told = await crew.refused(409, "TASK_PROJECT_GONE", "POST", f"/api/web/tasks/{failed}/retry", {})
    assert told["message"] == f"The project of task #{failed} takes no tasks any more, so it cannot be tried again."
    assert (await crew.db.read(lambda tx: tx.get(Task, failed))).status == "failed"
    again = await crew.once(
        "task-project.created", "POST", ADMIN, {**SHOP, "key": "new", "name": "The SHOP"}, status=201
    )
    assert again["memberCount"] == 0
    assert (await crew.ok("GET", "/api/web/dashboard/recent-tasks"))["items"][0]["projectKey"] == "new"


async def test_a_project_goes_as_a_whole_once_no_task_lives(crew):
    await made(crew)
    _, bob = await crew.person("bob", "tasks:developer")
    me = (await crew.ok("GET", "/api/web/profile", token=bob))["id"]
    await crew.ok("POST", f"{ADMIN}/SHOP/members", {"developerId": me}, status=201)
    await crew.db.write(task_rows.with_everything, "SHOP")
    live = await crew.db.write(task_rows.task, "SHOP", status="queued")
    ref = (await crew.ok("GET", "/api/projects"))["items"][0]["id"]
    await crew.ok("POST", f"/api/projects/{ref}/archive", {})
    assert (await crew.ok("GET", f"{WEB}/SHOP", token=bob))["isArchived"] is True
    for path, method, body in (
        (f"{WEB}/SHOP", "PUT", {"maxTasks": 1}),
        (f"{ADMIN}/SHOP/members", "POST", {"developerId": 1}),
        (f"{WEB}/SHOP/git-token", "PUT", {"token": "x"}),
    ):
        await crew.refused(409, "PROJECT_ARCHIVED", method, path, body)
    check = await crew.ok("GET", f"/api/projects/{ref}/delete-check")
    assert check["blockers"] == [{"kind": "resource", "relatedEntityType": "agent-task", "count": 1}]
    refused = await crew.send("DELETE", f"/api/projects/{ref}", {"confirmation": {"projectId": ref}})
    assert refused.status_code == 409
    assert "1 agent task of it has not ended" in refused.text

    def end(tx):
        task = tx.get(Task, live)
        task.status, task.finished_at = "completed", tx.now

    await crew.db.write(end)
    await crew.ok("DELETE", f"/api/projects/{ref}", {"confirmation": {"projectId": ref}})
    assert (await crew.ok("GET", WEB, token=bob))["items"] == []
    left = await crew.db.read(lambda tx: tx.execute(select(func.count()).select_from(Task)).scalar())
    assert left == 0


async def test_projects_of_another_organization_do_not_exist_here(crew):
    await made(crew)
    there, eve = await crew.person("eve", "tasks:admin", "organization:owner", organization="org_elsewhere")
    assert (await crew.ok("GET", ADMIN, token=eve))["items"] == []
    for method, path, body in (
        ("GET", f"{WEB}/SHOP", None),
        ("PUT", f"{WEB}/SHOP", {"maxTasks": 1}),
        ("PUT", f"{ADMIN}/SHOP", {"maxTasks": 1}),
        ("DELETE", f"{ADMIN}/SHOP", None),
        ("GET", f"{ADMIN}/SHOP/members", None),
        ("POST", f"{WEB}/SHOP/members", {"developerId": there}),
        ("DELETE", f"{ADMIN}/SHOP/members/1", None),
        ("PUT", f"{WEB}/SHOP/git-token", {"token": "x"}),
    ):
        await crew.refused(404, "PROJECT_NOT_FOUND", method, path, body, token=eve)
    theirs = await crew.ok("POST", ADMIN, {**SHOP, "name": "The SHOP"}, token=eve, status=201)
    assert (theirs["key"], theirs["name"]) == ("SHOP", "The SHOP")
    assert [one["name"] for one in (await crew.ok("GET", WEB))["items"]] == ["The SHOP"]
    await crew.refused(404, "DEVELOPER_NOT_FOUND", "POST", f"{ADMIN}/SHOP/members", {"developerId": there})
    names = [one["name"] for one in (await crew.ok("GET", f"{WEB}/-/developers"))["items"]]
    assert names == ["ada"]


async def test_what_is_no_key_is_not_found(crew):
    await made(crew)
    for key in ("nobody", "-", "%2e%2e", "SHOP%00", "a" * 300, "%C5%A0HOP", "%25"):
        answer = await crew.send("GET", f"{WEB}/{key}")
        assert answer.status_code in {400, 404}, answer.text
