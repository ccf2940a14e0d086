"""The tasks surface for the command line's tests, from the contract (tasks §1). It keeps what is made, in the
contract's shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fakes.surface_api import NUMBER, TEXT, Refused, Route, Row, SurfaceApi, closed

TOKEN = "ov_pat_1_good"
AT = "2026-05-31T12:00:00.000Z"
LATER = "2026-05-31T12:02:03.000Z"
MACHINE = "7b1d9f1e-3c52-4f61-9a55-0d7a1f2b3c4d"
STAGES = {"type": "array", "items": {"type": "object", "required": ["name", "command"]}}
GATED = {"confirm": "confirm", "choices": "choice", "input": "input"}


CREATING = {"create", "add_member", "say", "pty_token", "new_token", "post_project"}


class Refusal(Refused):
    """An error in the words of the surface."""

    def __init__(self, status: int, message: str | list[str], code: str) -> None:
        super().__init__(
            status, {"statusCode": status, "message": message, "error": HTTPStatus(status).phrase, "code": code}
        )


EMPTY = {"anyOf": [closed(), {"type": "null"}]}
CREATE = closed(
    "projectKey description", projectKey=TEXT, description=TEXT, machineId={"type": ["string", "null"]},
    developerId=NUMBER, agentType=TEXT, branch=TEXT, baseBranch=TEXT, pipeline=STAGES, priority=NUMBER,
    dependsOn={"type": "array", "items": NUMBER}, budgetUsd={"type": "number", "exclusiveMinimum": 0},
)  # fmt: skip
CONFIRM = {
    "oneOf": [
        closed("stageIndex result", stageIndex=NUMBER, result=TEXT),
        closed("stageName approved", stageName=TEXT, approved={"type": "boolean"}),
    ]
}
FIELDS = {
    "name": TEXT, "repoUrl": TEXT, "sshUrl": TEXT, "defaultBranch": TEXT, "agentType": TEXT,
    "customAgent": {"type": "object"}, "description": TEXT,
    "setupCommand": {"type": ["string", "null"], "minLength": 1}, "maxTasks": NUMBER,
    "cleanupCommand": {"type": ["string", "null"], "minLength": 1},
    "budgetUsd": {"type": ["number", "null"], "exclusiveMinimum": 0},
    "pipeline": STAGES | {"type": ["array", "null"]},
}  # fmt: skip
PUT_PROJECT, POST_PROJECT = closed(**FIELDS), closed("key name repoUrl", key=TEXT, **FIELDS)
PAGES = {"limit", "cursor"}
TASK, PROJECT, HOST = r"/api/web/tasks/(\d+)", r"/api/web/projects/(?!-/)([\w-]+)", r"/api/web/machines/([\w-]+)"
ADMIN_HOST, TOKENS = r"/api/admin/machines/([\w-]+)", "/api/admin/worker-tokens"
ROUTES: list[Route] = [
    ("GET", "/api/web/tasks", "tasks", PAGES | {"status", "projectKey", "mine", "page", "machineId", "q"}, None),
    ("POST", "/api/web/tasks", "create", set(), CREATE),
    ("GET", TASK, "show", set(), None),
    ("POST", f"{TASK}/cancel", "cancel", set(), EMPTY),
    ("POST", f"{TASK}/retry", "retry", set(), closed(fromStage=NUMBER, machineId=TEXT)),
    ("POST", f"{TASK}/confirm-stage", "confirm", set(), CONFIRM),
    ("GET", f"{TASK}/events", "events", {"limit", "offset", "type", "search"}, None),
    ("GET", f"{TASK}/logs", "logs", {"limit", "offset"}, None),
    ("GET", f"{TASK}/pending-confirm", "pending", set(), None),
    ("POST", f"{TASK}/pty-token", "pty_token", set(), closed(mode={"enum": ["control", "watch"]})),
    ("GET", f"{TASK}/messages", "messages", PAGES, None),
    ("POST", f"{TASK}/messages", "say", set(), closed("text", text=TEXT)),
    ("GET", "/api/web/machines", "machines", PAGES | {"status"}, None),
    ("GET", HOST, "machine", set(), None),
    ("GET", f"{HOST}/tasks", "machine_tasks", PAGES | {"status"}, None),
    ("POST", f"{HOST}/drain", "drain", set(), closed(reason=TEXT)),
    ("POST", f"{HOST}/undrain", "undrain", set(), EMPTY),
    ("DELETE", ADMIN_HOST, "decommission", set(), EMPTY),
    ("PUT", ADMIN_HOST, "put_machine", set(), closed(name=TEXT, maxSlots=NUMBER, status=TEXT)),
    ("GET", "/api/admin/machines", "all_machines", PAGES | {"includeDecommissioned"}, None),
    ("GET", TOKENS, "tokens", PAGES, None),
    ("POST", TOKENS, "new_token", set(), closed(label=TEXT, expiresInHours=NUMBER)),
    ("GET", rf"{TOKENS}/(\d+)/status", "token_status", set(), None),
    ("POST", rf"{TOKENS}/(\d+)/revoke", "revoke_token", set(), EMPTY),
    ("POST", "/api/admin/projects", "post_project", set(), POST_PROJECT),
    ("DELETE", r"/api/admin/projects/([\w-]+)", "delete_project", {"force"}, EMPTY),
    ("GET", f"{TASK}/diff", "diff", set(), None),
    ("POST", f"{TASK}/budget", "budget", set(), closed("budgetUsd", budgetUsd={"type": ["number", "null"]})),
    ("GET", "/api/web/projects", "projects", PAGES, None),
    ("GET", "/api/web/projects/-/developers", "developers", PAGES, None),
    ("GET", PROJECT, "project", set(), None),
    ("PUT", PROJECT, "put_project", set(), PUT_PROJECT),
    ("GET", f"{PROJECT}/members", "members", PAGES, None),
    ("POST", f"{PROJECT}/members", "add_member", set(), closed(
        "developerId", developerId=NUMBER, role={"enum": ["member", "maintainer"]}
    )),
    ("DELETE", f"{PROJECT}/members", "remove_member", {"developerId"}, EMPTY),
    ("PUT", f"{PROJECT}/git-token", "put_token", set(), closed("token", token=TEXT)),
    ("DELETE", f"{PROJECT}/git-token", "drop_token", set(), EMPTY),
    ("GET", "/api/web/dashboard/stats", "stats", set(), None),
    ("GET", "/api/web/notifications", "notifications", PAGES | {"all"}, None),
    ("POST", r"/api/web/notifications/(\d+)/read", "read", set(), EMPTY),
    ("POST", "/api/web/notifications/read-all", "read_all", set(), EMPTY),
    ("GET", "/api/web/search", "search", {"q", "limit"}, None),
]  # fmt: skip


class TasksApi(SurfaceApi):
    """What is asked about a task gets its number."""

    routes = ROUTES
    token = TOKEN
    created = CREATING

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[int, Row] = {}
        self.log: dict[int, list[Row]] = {}
        self.told: dict[int, list[Row]] = {}
        self.asked: dict[int, Row] = {}
        self.said: dict[int, list[Row]] = {}
        self.machines_known = [machine()]
        self.projects_known = [project("WEB")]
        self.people: list[Row] = [
            {"id": 1, "name": "ada", "gitEmail": "ada@example.com", "role": "admin"},
            {"id": 2, "name": "bob", "gitEmail": "bob@example.com", "role": "developer"},
        ]
        self.belong: list[Row] = [
            {"developerId": 1, "name": "ada", "gitEmail": "ada@example.com", "role": "maintainer", "addedAt": AT}
        ]
        self.notes: list[Row] = []
        self.tokens_known: list[Row] = []
        self.public_url: str | None = None
        self.diffs: dict[int, Row] = {}
        self.tickets: list[str] = []
        self.issue: Callable[[int, str], Row] | None = None

    def unknown(self) -> Refusal:
        return Refusal(401, "Nobody is signed in.", "PRODUCT_AUTH_INVALID")

    def absent(self) -> Refusal:
        return Refusal(404, "There is nothing at this address.", "NOT_FOUND")

    def invalid(self, wrong: list[str]) -> Refusal:
        return Refusal(400, wrong, "INVALID")

    def add(self, number: int, status: str = "running", **more: Any) -> Row:
        """A task that is there."""
        self.tasks[number] = {**task(number, status), **more}
        self.log.setdefault(number, [])
        self.told.setdefault(number, [])
        return self.tasks[number]

    def ask(self, number: int, kind: str = "confirm", index: int = 1, choices: list[str] | None = None) -> None:
        """Have a task wait for a person."""
        row = self.tasks[number]
        row |= {"status": "suspended", "suspendReason": "stage_gate", "currentStage": index}
        name = row["stages"][index]["name"]
        row["stages"][index]["status"] = "waiting"
        self.asked[number] = {
            "pending": True, "taskId": number, "stageIndex": index, "stageName": name, "kind": kind,
            "prompt": "Which way?", "choices": choices, "requestedAt": AT, "expiresAt": LATER,
        }  # fmt: skip

    def line(self, number: int, text: str, stream: str = "pty") -> None:
        lines = self.log[number]
        lines.append({"seq": len(lines) + 1, "ts": AT, "stream": stream, "text": text})

    def event(self, number: int, message: str, kind: str = "stage_change", level: str = "info") -> None:
        events = self.told[number]
        events.append(
            {
                "id": len(events) + 1, "taskId": number, "seq": len(events) + 1, "type": kind, "stageIndex": 0,
                "stageName": "develop", "level": level, "message": message, "data": {}, "actor": None, "createdAt": AT,
            }
        )  # fmt: skip

    def _task(self, number: str) -> Row:
        row = self.tasks.get(int(number))
        if row is None:
            raise Refusal(404, f"There is no task {number}.", "TASK_NOT_FOUND")
        return row

    def _tasks(self, query: Row, body: Any) -> Row:
        rows = [row for _, row in sorted(self.tasks.items(), reverse=True)]
        wanted = (query.get("status") or "").split(",")
        if wanted != [""]:
            rows = [row for row in rows if row["status"] in wanted]
        if "projectKey" in query:
            rows = [row for row in rows if row["projectKey"] == query["projectKey"]]
        return paged(rows, query)

    def _create(self, query: Row, body: Row) -> Row:
        if body["projectKey"] not in {row["key"] for row in self.projects_known}:
            raise Refusal(404, f"There is no project {body['projectKey']}.", "PROJECT_NOT_FOUND")
        number = max(self.tasks, default=41) + 1
        row = self.add(number, "queued")
        row |= {key: value for key, value in body.items() if key in {"projectKey", "description", "priority"}}
        return row

    def _show(self, number: str, query: Row, body: Any) -> Row:
        return self._task(number)

    def _cancel(self, number: str, query: Row, body: Any) -> Row:
        row = self._task(number)
        if row["status"] in {"completed", "failed", "cancelled"}:
            raise Refusal(409, f"Task {number} has ended already.", "TASK_ENDED")
        row["status"] = "cancelled"
        return row

    def _retry(self, number: str, query: Row, body: Any) -> Row:
        row = self._task(number)
        if row["status"] != "failed":
            raise Refusal(409, f"Task {number} has not failed.", "TASK_NOT_RETRYABLE")
        row |= {"status": "queued", "attempt": row["attempt"] + 1}
        return row

    def _confirm(self, number: str, query: Row, body: Row) -> Row:
        row, asked = self._task(number), self.asked.pop(int(number), None)
        if asked is None:
            raise Refusal(409, "jonas has answered stage 1 already.", "GATE_ANSWERED")
        if body.get("stageIndex", asked["stageIndex"]) != asked["stageIndex"]:
            raise Refusal(409, f"Stage {body['stageIndex']} waits for nothing.", "WRONG_STAGE")
        row |= {"status": "running" if body.get("approved", True) else "cancelled", "suspendReason": None}
        return row

    def _events(self, number: str, query: Row, body: Any) -> Row:
        self._task(number)
        return offset(self.told[int(number)], query)

    def _logs(self, number: str, query: Row, body: Any) -> Row:
        self._task(number)
        return offset(self.log[int(number)], query)

    def _pending(self, number: str, query: Row, body: Any) -> Row:
        self._task(number)
        return self.asked.get(int(number), {"pending": False})

    def _pty_token(self, number: str, query: Row, body: Row) -> Row:
        self._task(number)
        if self.issue is None:
            raise Refusal(409, f"Task {number} has no terminal now.", "NO_TERMINAL")
        return self.issue(int(number), body.get("mode", "control"))

    def _messages(self, number: str, query: Row, body: Any) -> Row:
        self._task(number)
        return paged(self.said.get(int(number), [])[::-1], query)

    def _say(self, number: str, query: Row, body: Row) -> Row:
        self._task(number)
        said = self.said.setdefault(int(number), [])
        said.append(
            {"id": len(said) + 1, "taskId": int(number), "text": body["text"], "authorId": 1, "author": "ada",
             "createdAt": AT, "deliveredAt": None}
        )  # fmt: skip
        return said[-1]

    def _machines(self, query: Row, body: Any) -> Row:
        wanted = query.get("status")
        return paged([row for row in self.machines_known if wanted in {None, row["status"]}], query)

    def _machine(self, identity: str, query: Row, body: Any) -> Row:
        row = next((row for row in self.machines_known if row["id"] == identity), None)
        if row is None:
            raise Refusal(404, f"There is no machine {identity}.", "MACHINE_NOT_FOUND")
        return row

    def _machine_tasks(self, identity: str, query: Row, body: Any) -> Row:
        self._machine(identity, {}, None)
        return self._tasks(query, None)

    def _drain(self, identity: str, query: Row, body: Any) -> Row:
        row = self._machine(identity, {}, None)
        if row["status"] != "online":
            raise Refusal(409, f"{row['name']} is {row['status']}.", "MACHINE_STATE")
        row["status"] = "draining"
        return row

    def _undrain(self, identity: str, query: Row, body: Any) -> Row:
        row = self._machine(identity, {}, None)
        row["status"] = "online"
        return row

    def _decommission(self, identity: str, query: Row, body: Any) -> Row:
        row = self._machine(identity, {}, None)
        row["status"] = "decommissioned"
        return {"success": True}

    def _put_machine(self, identity: str, query: Row, body: Row) -> Row:
        row = self._machine(identity, {}, None)
        row |= body
        return row

    def _all_machines(self, query: Row, body: Any) -> Row:
        return paged(self.machines_known, query)

    def _tokens(self, query: Row, body: Any) -> Row:
        return paged(self.tokens_known[::-1], query)

    def _new_token(self, query: Row, body: Row) -> Row:
        number = len(self.tokens_known) + 1
        self.tokens_known.append(
            {"id": number, "label": body.get("label"), "status": "unused", "machineId": None, "createdBy": 1,
             "createdByName": "ada", "createdAt": AT, "usedAt": None,
             "expiresAt": LATER if body.get("expiresInHours") else None}
        )  # fmt: skip
        return {**self.tokens_known[-1], "token": f"ovw_{number}_secret", "serverUrl": self.public_url}

    def _token(self, number: str) -> Row:
        found = next((row for row in self.tokens_known if row["id"] == int(number)), None)
        if found is None:
            raise Refusal(404, "There is no such enrolment token.", "WORKER_TOKEN_NOT_FOUND")
        return found

    def _token_status(self, number: str, query: Row, body: Any) -> Row:
        row = self._token(number)
        by = self._machine(row["machineId"], {}, None) if row["machineId"] else None
        return {"id": row["id"], "status": row["status"], "machine": by}

    def _revoke_token(self, number: str, query: Row, body: Any) -> Row:
        row = self._token(number)
        row["status"] = "revoked"
        return row

    def _post_project(self, query: Row, body: Row) -> Row:
        if body["key"] in {row["key"] for row in self.projects_known}:
            raise Refusal(409, f"A project with the key {body['key']} exists.", "PROJECT_KEY_TAKEN")
        self.projects_known.append(project(body["key"]) | body)
        return self.projects_known[-1]

    def _delete_project(self, key: str, query: Row, body: Any) -> Row:
        row = self._project(key, {}, None)
        if self.tasks and query.get("force") != "true":
            raise Refusal(409, f"Not all tasks of {key} have ended.", "PROJECT_HAS_LIVE_TASKS")
        self.projects_known.remove(row)
        return {"success": True}

    def _diff(self, number: str, query: Row, body: Any) -> Row:
        self._task(number)
        if int(number) not in self.diffs:
            raise Refusal(404, f"Nothing is known yet of what task #{number} changes.", "TASK_DIFF_NOT_FOUND")
        return self.diffs[int(number)]

    def _budget(self, number: str, query: Row, body: Row) -> Row:
        row = self._task(number)
        row |= body
        return row

    def _projects(self, query: Row, body: Any) -> Row:
        return paged(self.projects_known, query)

    def _developers(self, query: Row, body: Any) -> Row:
        return paged(self.people, query)

    def _project(self, key: str, query: Row, body: Any) -> Row:
        row = next((row for row in self.projects_known if row["key"] == key), None)
        if row is None:
            raise Refusal(404, f"There is no project {key}.", "PROJECT_NOT_FOUND")
        return row

    def _put_project(self, key: str, query: Row, body: Row) -> Row:
        row = self._project(key, {}, None)
        gated = [stage for stage in body.get("pipeline") or [] if sum(gate in stage for gate in GATED) > 1]
        if gated:
            raise Refusal(400, ["pipeline[0]: confirm, choices and input exclude each other."], "INVALID")
        row |= body
        return row

    def _members(self, key: str, query: Row, body: Any) -> Row:
        self._project(key, {}, None)
        return paged(self.belong, query)

    def _add_member(self, key: str, query: Row, body: Row) -> Row:
        if body["developerId"] in {row["developerId"] for row in self.belong}:
            raise Refusal(409, "They are a member already.", "ALREADY_MEMBER")
        person = next(row for row in self.people if row["id"] == body["developerId"])
        row = {"developerId": person["id"], "name": person["name"], "gitEmail": person["gitEmail"], "addedAt": AT}
        self.belong.append({**row, "role": body.get("role", "member")})
        return self.belong[-1]

    def _remove_member(self, key: str, query: Row, body: Any) -> Row:
        left = [row for row in self.belong if str(row["developerId"]) != query["developerId"]]
        if not any(row["role"] == "maintainer" for row in left):
            raise Refusal(409, "They are the last maintainer.", "LAST_MAINTAINER")
        self.belong = left
        return {"success": True}

    def _put_token(self, key: str, query: Row, body: Row) -> Row:
        self._project(key, {}, None)["hasGitToken"] = True
        return {"hasGitToken": True}

    def _drop_token(self, key: str, query: Row, body: Any) -> Row:
        self._project(key, {}, None)["hasGitToken"] = False
        return {"hasGitToken": False}

    def _stats(self, query: Row, body: Any) -> Row:
        return {
            "activeTasks": 2, "queuedTasks": 1, "suspendedTasks": 1, "onlineMachines": 1, "onlineWorkers": 1,
            "totalMachines": 3, "drainingMachines": 1, "completedToday": 4, "failedToday": 0, "slotsUsed": 2,
            "slotsTotal": 6,
        }  # fmt: skip

    def _notifications(self, query: Row, body: Any) -> Row:
        rows = [row for row in self.notes if query.get("all") == "true" or not row["isRead"]]
        return {**paged(rows, query), "unreadCount": sum(not row["isRead"] for row in self.notes)}

    def _read(self, number: str, query: Row, body: Any) -> Row:
        row = next((row for row in self.notes if row["id"] == int(number)), None)
        if row is None:
            raise Refusal(404, f"There is no notification {number}.", "NOTIFICATION_NOT_FOUND")
        row |= {"isRead": True, "readAt": AT}
        return row

    def _read_all(self, query: Row, body: Any) -> Row:
        unread = [row for row in self.notes if not row["isRead"]]
        for row in unread:
            row["isRead"] = True
        return {"count": len(unread)}

    def _search(self, query: Row, body: Any) -> Row:
        word = query["q"].lower()
        hosts = [row for row in self.machines_known if word in row["name"].lower()]
        return {
            "tasks": [row for row in self.tasks.values() if word in row["description"].lower()],
            "machines": hosts, "workers": hosts,
            "projects": [row for row in self.projects_known if word in row["name"].lower()],
        }  # fmt: skip


def paged(rows: list[Row], query: Row) -> Row:
    """A page of a list newest first; the cursor is a place in it."""
    limit, start = int(query.get("limit", 20)), int(query.get("cursor", 0))
    if not 1 <= limit <= 100:
        raise Refusal(400, ["limit: at most 100."], "INVALID")
    end = start + limit
    return {"items": rows[start:end], "nextCursor": str(end) if end < len(rows) else None, "total": len(rows)}


def offset(rows: list[Row], query: Row) -> Row:
    limit, start = int(query.get("limit", 20)), int(query.get("offset", 0))
    if not 1 <= limit <= 1000:
        raise Refusal(400, ["limit: at most 1000."], "INVALID")
    return {"items": rows[start : start + limit], "total": len(rows), "limit": limit, "offset": start}


def task(number: int, status: str) -> Row:
    stages = [
        {"index": index, "name": name, "status": "pending", "attempt": 1, "startedAt": None, "finishedAt": None,
         "result": None, "error": None}
        for index, name in enumerate(["develop", "review"])
    ]  # fmt: skip
    return {
        "id": number, "projectKey": "WEB", "description": "Add a dark theme", "status": status, "suspendReason": None,
        "queuedReason": None, "agentType": "claude", "machineId": MACHINE, "workerId": MACHINE, "machineName": "ant-1",
        "workerName": "ant-1", "requestedMachineId": None, "developerId": 1, "developerName": "ada", "source": "cli",
        "branch": f"overlord/{number}-dark-theme", "baseBranch": "main", "commitSha": None, "mrUrl": None,
        "pipeline": [{"name": "develop", "command": "/develop {description}"}], "currentStage": 0,
        "currentStageName": "develop", "stages": stages, "attempt": 1, "priority": 0, "dependsOn": [],
        "budgetUsd": None, "costUsd": None, "inputTokens": 0, "outputTokens": 0, "resumeAt": None,
        "errorCode": None, "errorMessage": None, "createdAt": AT,
        "assignedAt": AT, "startedAt": AT, "suspendedAt": None, "finishedAt": None, "updatedAt": AT,
    }  # fmt: skip


def machine(name: str = "ant-1", identity: str = MACHINE) -> Row:
    return {
        "id": identity, "name": name, "status": "online", "capabilities": ["claude", "codex"], "degraded": [],
        "maxSlots": 2, "usedSlots": 1, "cpuPercent": 12.5, "memPercent": 40.0, "diskPercent": 71.0,
        "hardware": {"cpuCores": 8, "cpuModel": "Ryzen", "memoryMb": 32768, "diskGb": 512, "os": "linux",
                     "arch": "x86_64", "hostname": "ant-1.lan"},
        "agents": [{"type": "claude", "version": "2.0.14", "path": "/usr/bin/claude"}],
        "load1": 0.4, "drainReason": None,
        "workerVersion": "0.1.0", "projectsCached": ["WEB"], "lastHeartbeatAt": AT, "createdAt": AT,
    }  # fmt: skip


def project(key: str) -> Row:
    return {
        "key": key, "name": "Web shop", "repoUrl": "https://git.example.com/shop.git", "sshUrl": None,
        "defaultBranch": "main", "agentType": "claude", "description": None, "hasGitToken": False, "taskCount": 3,
        "memberCount": 1, "members": [], "lastActivityAt": AT, "createdAt": AT,
        "pipeline": [
            {"name": "develop", "command": "/develop {description}", "timeout": 3600},
            {"name": "ship", "command": "/ship {choice}", "choices": ["staging", "production"]},
        ],
    }  # fmt: skip


def note(number: int, *, read: bool = False, title: str = "Answer needed") -> Row:
    return {
        "id": number, "type": "confirm_required", "title": title, "body": "Stage review waits.", "taskId": 42,
        "projectKey": "WEB", "link": "/console/tasks/42", "isRead": read, "readAt": AT if read else None,
        "createdAt": AT,
    }  # fmt: skip
