"""Tasks with a worktree on some worker, as the rooms that make them would leave them."""

from __future__ import annotations

from typing import Any

from quarterdeck.access import Access, grants
from quarterdeck.access.catalogue.tasks import MEMBER
from quarterdeck.access.model import Grant
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.orders import WorkspaceReport
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import keeping
from quarterdeck.workspace.model import Project


def project(tx: Tx, organization_id: int, name: str) -> Project:
    made = Project(
        uid=tx.ids.uid(),
        organization_id=organization_id, ref=tx.ids.ref("prj"), name=name, slug=name.lower(), created_at=tx.now,
        lifecycle="active",
    )  # fmt: skip
    tx.add(made)
    tx.flush()
    key = TaskProject(
        uid=tx.ids.uid(), project_id=made.id, organization_id=organization_id, key=name, created_at=tx.now
    )
    tx.add(key)
    tx.flush()
    return made


def worker(tx: Tx, organization_id: int, name: str = "builder") -> Worker:
    made = Worker(
        uid=tx.ids.uid(),
        organization_id=organization_id, name=name, recovery_hash=tx.ids.uid(), capabilities=["tasks"], offered=[],
        created_at=tx.now, last_seen_at=tx.now,
    )  # fmt: skip
    tx.add(made)
    tx.flush()
    return made


def joined(tx: Tx, access: Access, task: Task, user_id: int) -> Grant:
    """Somebody is a member of a task's project."""
    return grants.give(tx, access, user_id, task.organization_id, MEMBER, project_id=task.project_id)


def task(tx: Tx, of: Project, developer_id: int, on: Worker | None = None, **given: Any) -> Task:
    """`on` has its worktree; None: there is none yet."""
    made = Task(
        uid=tx.ids.uid(),
        organization_id=of.organization_id, project_id=of.id, description="Add a page", agent_type="claude",
        developer_id=developer_id, created_by=developer_id, source="web", depends_on=[], pipeline=[],
        branch="overlord/1-add-a-page", base_branch="main", created_at=tx.now, updated_at=tx.now,
        **{"status": "queued", **given},
    )  # fmt: skip
    tx.add(made)
    tx.flush()
    if on is not None:
        made.worker_id = on.id
        path = f"/srv/workspaces/web-0/tasks/task-{made.id}"
        report = WorkspaceReport(
            path=path, branch=made.branch, base_branch="main", head_commit="a" * 40, size=2_345_678
        )
        keeping.made(tx, made, on.id, report)
    return made


def running(tx: Tx, of: Task) -> jobs.Job:
    """An attempt of the task that a worker holds."""
    if jobs.kinds.find("task.run") is None:
        jobs.kinds.register(jobs.JobKind("task.run"))
    job = jobs.enqueue(tx, jobs.Enqueue("task.run", {}, of.organization_id, subject=f"task:{of.id}"))
    tx.execute(
        "UPDATE jobs SET state = 'running', owner = 'worker:x', fence = 1, lease_until = :until WHERE id = :id",
        {"id": job.id, "until": 2**60},
    )
    of.job_id, of.status, of.attempt = job.id, "running", 1
    tx.flush()
    return job
