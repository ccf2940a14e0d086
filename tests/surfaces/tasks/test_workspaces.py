"""Workspaces and tunnels over the API: shapes, rights, and what workers say of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.orders import DeliveredReport, TunnelReport, WorkspaceReport
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.tunnels import tunnels
from quarterdeck.tasks.tunnels.orders import TUNNEL, TunnelOrder
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import keeping, naming, retention
from quarterdeck.tasks.workspaces.cleaning import CLEAN
from support import kept_workspaces as made

SHAPE = {"taskId", "state", "url", "name", "authPrompt", "startedAt", "expiresAt", "error"}


class Office:
    """Ada (the administrator), and a task of hers with a worktree on a worker of the organization."""

    def __init__(self, crew) -> None:
        self.crew = crew
        self.db = crew.db

    async def set_up(self) -> Office:
        def verb(tx: Tx) -> tuple[int, int, str, int]:
            ada = tx.one(select(User).where(User.username == "ada"), what="ada")
            home = tx.one(select(Organization).order_by(Organization.id).limit(1), what="home")
            of, on = made.project(tx, home.id, "WEB"), made.worker(tx, home.id)
            return ada.id, made.task(tx, of, ada.id, on).id, on.uid, made.task(tx, of, ada.id).id

        self.ada, self.task, self.machine, self.bare = await self.db.write(verb)
        return self

    async def do(self, verb, *more):
        """A verb that takes the task."""
        return await self.db.write(lambda tx: verb(tx, tx.get(Task, self.task), *more))

    async def tunnel(self, method: str, what: str, body=None, *, status: int = 200, **more):
        path = f"/api/web/workspace-tunnel/{self.task}/{what}"
        found = await self.crew.ok(method, path, body, status=status, **more)
        assert set(found) == SHAPE
        return found

    async def told(self) -> list:
        read = await self.db.read(events.read, f"task:{self.task}")
        return [(one.type, one.data.get("data", {}).get("state")) for one in read]


@pytest.fixture
async def office(crew):
    return await Office(crew).set_up()


async def test_a_workspace_is_shown_as_its_machine_told_of_it(office):
    path = f"/api/web/workspaces/{office.task}"
    assert await office.crew.ok("GET", path) == {
        "taskId": office.task,
        "machineId": office.machine,
        "workerId": office.machine,
        "path": f"/srv/workspaces/web-0/tasks/task-{office.task}",
        "branch": "overlord/1-add-a-page",
        "baseBranch": "main",
        "headCommit": "a" * 40,
        "dirty": None,
        "diffStat": None,
        "sizeMb": 2.3,
        "exists": True,
        "tunnel": None,
    }
    report = DeliveredReport(
        branch="overlord/1-add-a-page", commit="b" * 40, pushed=True, files_changed=3, insertions=10, deletions=2
    )
    await office.do(keeping.delivered, report)
    shown = await office.crew.ok("GET", path)
    assert (shown["headCommit"], shown["dirty"]) == ("b" * 40, False)
    assert shown["diffStat"] == {"filesChanged": 3, "insertions": 10, "deletions": 2}
    await office.do(lambda tx, task: keeping.removed(tx, task, keeping.kept(tx, task), 1))
    assert (await office.crew.ok("GET", path))["exists"] is False
    bare = await office.crew.ok("GET", f"/api/web/workspaces/{office.bare}")
    assert (bare["exists"], bare["path"], bare["branch"]) == (False, None, "overlord/1-add-a-page")


async def test_a_tunnel_is_carried_by_a_job_of_the_tasks_machine(office):
    assert (await office.tunnel("GET", "status"))["state"] == "IDLE"
    begun = await office.crew.once(
        "task-tunnel.started", "POST", f"/api/web/workspace-tunnel/{office.task}/start", {"kind": "cursor"}, status=202
    )
    assert (begun["state"], begun["name"], begun["url"]) == ("STARTING", f"task-{office.task}", None)
    job = await office.db.read(lambda tx: jobs.find(tx, kind=TUNNEL))
    order = await office.db.write(lambda tx: jobs.kinds.get(TUNNEL).assign(tx, job))
    assert isinstance(order, TunnelOrder)
    assert (order.kind, order.project_key, order.start_seconds) == ("cursor", "WEB", 30)
    assert order.path.endswith(f"/tasks/task-{office.task}")
    assert 4 * 3600 - 60 < order.life_seconds <= 4 * 3600
    prompt = "please log into https://x.test and use code AB-12"
    await office.do(tunnels.reported, TunnelReport(state="STARTING", kind="cursor", auth_prompt=prompt))
    assert (await office.tunnel("GET", "status"))["authPrompt"] == prompt
    await office.do(tunnels.reported, TunnelReport(state="CONNECTED", kind="cursor", url="https://x.test/tunnel/a"))
    there = await office.tunnel("GET", "status")
    assert (there["state"], there["url"], there["authPrompt"]) == ("CONNECTED", "https://x.test/tunnel/a", None)
    assert (await office.crew.ok("GET", f"/api/web/workspaces/{office.task}"))["tunnel"] == there
    path = f"/api/web/workspace-tunnel/{office.task}"
    await office.crew.refused(409, "TUNNEL_ACTIVE", "POST", f"{path}/start", {})
    closed = await office.crew.once("task-tunnel.stopped", "POST", f"{path}/stop", {})
    # Nobody held the job yet, so that it ended at once.
    assert (closed["state"], closed["url"]) == ("CLOSED", None)
    assert (await office.db.read(jobs.get, job.id)).state == "canceled"
    await office.crew.refused(409, "TUNNEL_NOT_ACTIVE", "POST", f"{path}/stop", {})
    states = [state for kind, state in await office.told() if kind == "tunnel"]
    assert states == ["STARTING", "STARTING", "CONNECTED", "CLOSING", "CLOSED"]
    assert (await office.tunnel("POST", "start", {}, status=202))["state"] == "STARTING"


async def test_a_running_attempt_is_told_instead(office):
    job = await office.do(made.running)
    heard = []

    async def tell(job_id, kind, data=None):
        heard.append((job_id, kind, data))

    office.crew.deck.instance.jobs.tell = tell
    await office.tunnel("POST", "start", {}, status=202)
    assert (heard[0][0], heard[0][1], heard[0][2].action) == (job.id, "tunnel", "start")
    assert heard[0][2].order.task_id == office.task
    # Who asks is told the same, until something was heard of it.
    assert (await office.do(tunnels.wanted)).order.path == heard[0][2].order.path
    await office.do(tunnels.reported, TunnelReport(state="STARTING", kind="vscode"))
    assert await office.do(tunnels.wanted) is None
    assert await office.db.read(lambda tx: jobs.find(tx, kind=TUNNEL)) is None
    assert (await office.tunnel("POST", "stop", {}))["state"] == "CLOSING"
    assert (heard[1][0], heard[1][2].action) == (job.id, "stop")
    assert (await office.do(tunnels.wanted)).action == "stop"
    # It had said this before it heard of the stop.
    await office.do(tunnels.reported, TunnelReport(state="CONNECTED", kind="vscode", url="https://late.test/tunnel/a"))
    assert (await office.tunnel("GET", "status"))["state"] == "CLOSING"
    await office.do(tunnels.ended)
    assert (await office.tunnel("GET", "status"))["state"] == "CLOSED"
    await office.do(tunnels.reported, TunnelReport(state="CONNECTED", kind="vscode"))
    assert (await office.tunnel("GET", "status"))["state"] == "CLOSED"


async def test_a_lost_machine_ends_the_tunnel(office):
    await office.tunnel("POST", "start", {}, status=202)
    kind, job = jobs.kinds.get(TUNNEL), await office.db.read(lambda tx: jobs.find(tx, kind=TUNNEL))
    assert kind.lost == "failed"
    outcome = jobs.Outcome("failed", error_code="job_worker_lost", error_message="Its worker was lost.")
    await office.db.write(kind.finish, job, outcome)
    failed = await office.tunnel("GET", "status")
    assert (failed["state"], failed["error"]) == ("FAILED", "Its worker was lost.")


async def test_tunnels_that_nobody_tells_of_are_ended(office):
    await office.do(made.running)
    await office.do(tunnels.start)
    assert await office.db.write(tunnels.lost) == 0

    def age(tx: Tx, task: Task, minutes: int, *, over: bool) -> None:
        row = tunnels.shown(tx, task)
        row.updated_at = tx.now - timedelta(minutes=minutes)
        if over:
            row.expires_at = tx.now - timedelta(minutes=minutes)

    await office.db.write(lambda tx: age(tx, tx.get(Task, office.task), 21, over=False))
    assert await office.db.write(tunnels.lost) == 1
    assert (await office.tunnel("GET", "status"))["state"] == "FAILED"
    await office.do(tunnels.start)
    await office.do(tunnels.reported, TunnelReport(state="CONNECTED", kind="vscode", url="https://x.test/tunnel/a"))
    await office.db.write(lambda tx: age(tx, tx.get(Task, office.task), 21, over=True))
    assert await office.db.write(tunnels.lost) == 1
    expired = await office.tunnel("GET", "status")
    assert (expired["state"], expired["url"]) == ("EXPIRED", None)


async def test_owners_and_administrators_act_members_of_the_project_look_and_nobody_else_knows(office):
    crew, base = office.crew, f"/api/web/workspace-tunnel/{office.task}"
    _, lead = await crew.person("lead", "tasks:lead")
    _, admin = await crew.person("boss", "tasks:admin")
    eve, theirs = await crew.person("eve", "tasks:developer")
    _, elsewhere = await crew.person("mallory", "tasks:admin", organization="org_elsewhere")
    for token in (lead, theirs, elsewhere):
        for method, path, body in (
            ("GET", f"/api/web/workspaces/{office.task}", None),
            ("GET", f"{base}/status", None),
            ("POST", f"{base}/start", {}),
            ("POST", f"{base}/stop", {}),
        ):
            await crew.refused(404, "TASK_NOT_FOUND", method, path, body, token=token)
    assert (await office.tunnel("POST", "start", {}, status=202, token=admin))["state"] == "STARTING"
    await crew.ok("POST", f"{base}/stop", {}, token=admin)
    joined = await office.do(lambda tx, task: made.joined(tx, crew.deck.instance.access, task, eve))
    assert joined.role == "tasks:member"
    await crew.ok("GET", f"/api/web/workspaces/{office.task}", token=theirs)
    assert (await office.tunnel("GET", "status", token=theirs))["state"] == "CLOSED"
    for act in ("start", "stop"):
        await crew.refused(403, "TASK_NOT_YOURS", "POST", f"{base}/{act}", {}, token=theirs)
    await office.do(lambda tx, task: setattr(task, "developer_id", eve))
    assert (await office.tunnel("POST", "start", {}, status=202, token=theirs))["state"] == "STARTING"


@pytest.mark.parametrize("number", ["0", "x", "999999999999999999999", "-1"])
async def test_what_is_no_task_is_not_found(office, number):
    await office.crew.refused(404, "TASK_NOT_FOUND", "GET", f"/api/web/workspaces/{number}")
    await office.crew.refused(404, "TASK_NOT_FOUND", "POST", f"/api/web/workspace-tunnel/{number}/start", {})


async def test_bad_bodies_and_missing_workspaces_change_nothing(office):
    base = "/api/web/workspace-tunnel"
    await office.crew.refused(400, "VALIDATION_ERROR", "POST", f"{base}/{office.task}/start", {"kind": "telnet"})
    await office.crew.refused(409, "WORKSPACE_MISSING", "POST", f"{base}/{office.bare}/start", {"kind": None})


async def test_worktrees_go_when_their_time_is_over_and_nobody_is_in_them(office):
    def end(tx: Tx, task: Task, hours: int) -> None:
        task.status, task.finished_at = "completed", tx.now - timedelta(hours=hours)

    assert await office.db.write(retention.sweep) == 0
    await office.do(end, 71)
    assert await office.db.write(retention.sweep) == 0
    await office.do(end, 73)
    # A tunnel keeps it, and so does whoever watches.
    await office.do(tunnels.start)
    assert await office.db.write(retention.sweep) == 0
    await office.do(tunnels.stop)
    watched = [office.task]
    retention.occupied_by("a viewer", lambda _tx, task_id: task_id in watched)
    assert await office.db.write(retention.sweep) == 0
    watched.clear()
    await office.crew.ok("PUT", "/api/admin/settings", {"workspaceRetentionHours": 100})
    assert await office.db.write(retention.sweep) == 0
    await office.crew.ok("PUT", "/api/admin/settings", {"workspaceRetentionHours": 1})
    assert await office.db.write(retention.sweep) == 1
    assert await office.db.write(retention.sweep) == 0
    kind, job = jobs.kinds.get(CLEAN), await office.db.read(lambda tx: jobs.find(tx, kind=CLEAN))
    worker = await office.db.read(lambda tx: tx.get(Task, office.task).worker_id)
    assert (job.worker_id, job.subject) == (worker, f"workspace:{office.task}")
    order = await office.db.write(lambda tx: kind.assign(tx, job))
    assert (order.task_id, order.project_key) == (office.task, "WEB")
    # Somebody came between the two.
    watched.append(office.task)
    with pytest.raises(Exception, match="a viewer is attached"):
        await office.db.write(lambda tx: kind.assign(tx, job))
    watched.clear()
    await office.db.write(kind.finish, job, jobs.Outcome("failed", error_code="workspace_error"))
    assert (await office.crew.ok("GET", f"/api/web/workspaces/{office.task}"))["exists"] is True
    await office.db.write(kind.finish, job, jobs.Outcome("succeeded", result='{"removed": 5, "free": 9}'))
    assert (await office.crew.ok("GET", f"/api/web/workspaces/{office.task}"))["exists"] is False
    assert (await office.told())[-1][0] == "workspace_removed"
    assert await office.db.write(retention.sweep) == 0


async def test_a_worktree_is_removed_under_the_key_that_it_was_made_with(office):
    """A project that takes no tasks any more leaves worktrees behind, whose worker knows them by its key."""

    def verb(tx: Tx, task: Task) -> tuple[str, str]:
        part = tx.one(select(TaskProject).where(TaskProject.project_id == task.project_id), what="part")
        report = WorkspaceReport(path="/srv/w", branch="b", base_branch="main", head_commit="a" * 40)
        keeping.made(tx, task, None, report)
        before = naming.names(tx, task)[1]
        tx.session.delete(part)
        tx.flush()
        return before, naming.names(tx, task)[1]

    assert await office.do(verb) == ("WEB", "WEB")
