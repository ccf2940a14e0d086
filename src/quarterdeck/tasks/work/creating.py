"""Asking for a change: what is checked, and what of the project and the settings is kept with the task."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import func, select

from quarterdeck.access import Access
from quarterdeck.fleet.workers import draining, roster
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, Invalid, NotFound
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.text import lines
from quarterdeck.tasks import developers, pipelines
from quarterdeck.tasks.actions import TasksAction
from quarterdeck.tasks.projects import activity
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.settings import settings as task_settings
from quarterdeck.tasks.work.happenings import happened
from quarterdeck.tasks.work.model import StageRun, Task
from quarterdeck.tasks.work.transitions import QUEUED, WAKE
from quarterdeck.tasks.work.visibility import may

LONGEST = 100_000
"""Characters of a description."""
PREFIX = "quarterdeck/"
SLUG = 40
BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,199}")
MOST_PRIORITY, MOST_NEEDED = 100, 50


class Wanted(Struct, frozen=True, kw_only=True):
    """What somebody asks for. `machine` is a worker's uid, `developer_id` whose change it is (the caller's unless
    given); `pipeline` holds stages by their names on the wire, `budget_usd` is in US dollars.
    """

    project_key: str
    description: str
    machine: str | None = None
    developer_id: int | None = None
    agent_type: str | None = None
    branch: str | None = None
    base_branch: str | None = None
    pipeline: Sequence[dict[str, Any]] | None = None
    priority: int = 0
    depends_on: tuple[int, ...] = ()
    budget_usd: float | None = None
    source: str = "web"


def create(tx: Tx, access: Access, wanted: Wanted) -> Task:
    """Put a task into the queue.

    Raises `Invalid` for a description, branch, pipeline or number that cannot be, `NotFound` (`project_not_found`,
    `worker_not_found`, `developer_not_found`, `task_not_found`), `Forbidden` (`project_not_yours`) and `Conflict`
    (`worker_decommissioned`).
    """
    project = project_named(tx, access, wanted.project_key)
    description = lines(wanted.description, "description", LONGEST)
    if not description:
        raise Invalid("The description is empty.", hint="Say what shall be changed.", field="description")
    worker = machine(tx, wanted.machine)
    _check_numbers(wanted)
    settings = task_settings.of(tx, tx.principal.acts_in)
    developer_id = tx.principal.id if wanted.developer_id is None else developers.find(tx, wanted.developer_id).id
    stages = _pipeline(project, settings, wanted.pipeline)
    task = tx.add(
        Task(
            uid=tx.ids.uid(),
            organization_id=project.organization_id,
            project_id=project.project_id,
            description=description,
            status=QUEUED,
            agent_type=wanted.agent_type or project.agent_type or settings["defaultAgentType"],
            requested_worker_id=worker.id if worker is not None else None,
            developer_id=developer_id,
            created_by=tx.principal.id,
            source=wanted.source,
            priority=wanted.priority,
            depends_on=_needed(tx, project.organization_id, wanted.depends_on),
            branch=wanted.branch or "",
            base_branch=wanted.base_branch or project.default_branch,
            pipeline=stages,
            attempt=1,
            budget_usd=project.budget_usd if wanted.budget_usd is None else wanted.budget_usd,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    task.branch = task.branch or f"{PREFIX}{task.id}-{slug(description)}".rstrip("-")
    for position, stage in enumerate(stages):
        tx.session.add(
            StageRun(uid=tx.ids.uid(), task_id=task.id, position=position, name=stage["name"], status="pending")
        )
    tx.flush()
    activity.made(tx, project.project_id)
    happened(tx, task, "status_change", f"Task #{task.id} is queued.", to=QUEUED, attempt=task.attempt)
    audit.record(
        tx,
        TasksAction.CREATED,
        resource_type="task",
        resource_id=str(task.id),
        detail={"project": project.key, "agent": task.agent_type, "branch": task.branch, "source": task.source},
    )
    tx.publish(WAKE)
    committing(tx, "task.create")
    return task


def project_named(tx: Tx, access: Access, key: str) -> TaskProject:
    """A project in which the caller may create tasks. Raises `NotFound` and `Forbidden` (`project_not_yours`)."""
    query = select(TaskProject).where(
        TaskProject.organization_id == tx.principal.acts_in, func.lower(TaskProject.key) == key.strip().lower()
    )
    project = tx.first(query)
    if project is None:
        raise NotFound(
            f"There is no project {key[:70]}.", code="project_not_found", hint="Look at the list of projects."
        )
    if not may(tx, access, project.project_id, "create"):
        raise Forbidden(
            f"You do not belong to the project {project.key}, so you may create no tasks in it.",
            code="project_not_yours",
            hint="Ask one of its maintainers to add you.",
            permission="tasks:project.create-tasks",
        )
    return project


def machine(tx: Tx, uid: str | None) -> Worker | None:
    """The machine that is asked for. Raises `NotFound` (`worker_not_found`), `Conflict` (`worker_decommissioned`)."""
    if uid is None:
        return None
    worker = roster.find(tx, tx.principal.acts_in, uid)
    draining.require_in_service(worker)
    return worker


def slug(description: str) -> str:
    """A few words of a description as a part of a branch's name: `fix-the-login`. Empty where none can be written."""
    plain = unicodedata.normalize("NFKD", description[:400]).encode("ascii", "ignore").decode().lower()
    words = [word for word in re.split(r"[^a-z0-9]+", plain) if word]
    kept = ""
    for word in words:
        longer = f"{kept}-{word}" if kept else word[:SLUG]
        if len(longer) > SLUG:
            break
        kept = longer
    return kept


def check_branch(name: str, field: str) -> str:
    """The name of a branch, as git takes it (`git check-ref-format --branch`). Raises `Invalid`."""
    wrong = (
        not BRANCH.fullmatch(name)
        or any(one in name for one in ("..", "//", "@{", "/."))
        or name.endswith((".", "/", ".lock"))
        or ".lock/" in name
    )
    if wrong:
        raise Invalid(
            f"{field} is no name of a branch.",
            code="branch_invalid",
            hint="Use letters, digits, '.', '_', '-' and '/', such as quarterdeck/fix-login.",
            field=field,
        )
    return name


def _check_numbers(wanted: Wanted) -> None:
    for name, field in ((wanted.branch, "branch"), (wanted.base_branch, "baseBranch")):
        if name is not None:
            check_branch(name, field)
    if not -MOST_PRIORITY <= wanted.priority <= MOST_PRIORITY:
        raise Invalid(f"priority is -{MOST_PRIORITY} to {MOST_PRIORITY}.", hint="0 is usual.", field="priority")
    if wanted.budget_usd is not None and not 0 < wanted.budget_usd <= 1_000_000:
        raise Invalid("budgetUsd is an amount of US dollars above 0.", hint="Such as 5.0.", field="budgetUsd")


def _pipeline(
    project: TaskProject, settings: dict[str, Any], given: Sequence[dict[str, Any]] | None
) -> list[dict[str, Any]]:
    """The stages as they stay with the task: its own, else the project's, else those of the settings."""
    if given is not None:
        pipelines.check(given, "pipeline")
    stages: Sequence[dict[str, Any]] = given or project.pipeline or settings["defaultPipeline"]
    return pipelines.kept(stages)


def _needed(tx: Tx, organization_id: int, ids: Sequence[int]) -> list[int]:
    """The tasks that have to be completed first. They are there already, so no circle comes about."""
    wanted = sorted(set(ids))
    if len(wanted) > MOST_NEEDED:
        raise Invalid(f"A task depends on {MOST_NEEDED} others at most.", hint="Name fewer.", field="dependsOn")
    found = set(
        tx.execute(select(Task.id).where(Task.organization_id == organization_id, Task.id.in_(wanted))).scalars()
    )
    for one in wanted:
        if one not in found:
            raise NotFound(f"There is no task #{one} to depend on.", code="task_not_found", hint="Leave it out.")
    return wanted
