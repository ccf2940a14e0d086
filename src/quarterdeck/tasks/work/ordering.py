"""The order of an attempt: everything that its machine needs, made when the job is claimed and kept nowhere."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from quarterdeck.fleet.terminals import tokens
from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.jobs.job import Job
from quarterdeck.tasks import developers, pipelines
from quarterdeck.tasks.orders import AgentChoice, Person, Repository, TaskOrder
from quarterdeck.tasks.projects import secrets as project_secrets
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.settings import settings as task_settings
from quarterdeck.tasks.work.happenings import stream
from quarterdeck.tasks.work.holding import locked
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.payload import Attempt
from quarterdeck.tasks.work.transitions import HELD

NOBODY = "quarterdeck"


def order(tx: Tx, job: Job) -> TaskOrder:
    """Raises `Conflict` (`task_ended`) for a job that is no attempt of its task any more, or (`task_project_gone`)
    where the project takes no tasks any more, and `Invalid` (`workspace_error`) where it has no repository.
    """
    attempt = job.read(Attempt)
    task = locked(tx, attempt.task_id)
    if task is None or task.job_id != job.id or task.status not in HELD:
        raise Conflict("This attempt is none of its task any more.", code="task_ended")
    project = tx.first(select(TaskProject).where(TaskProject.project_id == task.project_id))
    if project is None:
        raise Conflict(
            f"The project of task #{task.id} takes no tasks any more.",
            code="task_project_gone",
            hint="Let an administrator add the project again, then retry the task.",
        )
    organization = tx.get(Organization, task.organization_id)
    settings = task_settings.of(tx, task.organization_id)
    return TaskOrder(
        task_id=task.id,
        attempt=attempt.number,
        organization=organization.uid if organization is not None else "",
        project_key=project.key,
        description=task.description,
        pipeline=pipelines.stages(task.pipeline),
        from_stage=task.from_stage,
        branch=task.branch,
        base_branch=task.base_branch,
        repository=_repository(tx, project),
        developer=_person(tx, task),
        agent=AgentChoice(type=task.agent_type, custom=project.custom_agent, resume=attempt.session),
        stage_seconds=settings["defaultStageTimeoutSec"],
        gate_seconds=settings["confirmTimeoutSec"],
        setup_command=project.setup_command,
        cleanup_command=project.cleanup_command,
        environment={name: one.reveal() for name, one in project_secrets.environment(tx, project).items()},
        merge_request=project.merge_requests,
        channel_token=terminal_token(tx, task, job),
    )


def terminal_token(tx: Tx, task: Task, job: Job) -> str | None:
    """What opens the terminal of this attempt once; None where no enrolled worker runs it."""
    if job.worker_id is None:
        return None
    life = timedelta(seconds=task_settings.of(tx, task.organization_id)["channelTokenTtlSec"])
    token = tokens.for_worker(tx, stream(task.id), task.organization_id, job.worker_id, task.attempt, life)
    return token.reveal()


def _repository(tx: Tx, project: TaskProject) -> Repository:
    url = project.repo_url or project.ssh_url
    if url is None:
        raise Invalid(
            f"The project {project.key} has no repository.",
            code="workspace_error",
            hint="Give it the address of one, then retry the task.",
        )
    token = project_secrets.git_token(tx, project)
    return Repository(
        url=url,
        default_branch=project.default_branch,
        token=token.reveal() if token is not None else None,
        forge=project.forge,  # type: ignore[arg-type]  # one of the three words
        forge_url=project.forge_url,
    )


def _person(tx: Tx, task: Task) -> Person:
    """Who signs the commits: what somebody chose for that, else their name and address."""
    user = tx.get(User, task.developer_id)
    if user is None:
        return Person(name=NOBODY, email=f"{NOBODY}@localhost")
    return Person(
        name=developers.preference(user, "gitName") or user.display_name or user.username,
        email=developers.preference(user, "gitEmail") or user.email or f"{user.username}@localhost",
    )


def secrets(tx: Tx, project: TaskProject) -> list[str]:
    """What no line of its tasks may show: the git token, and the values of the agent's variables."""
    token = project_secrets.git_token(tx, project)
    values = project_secrets.environment(tx, project).values()
    return [one.reveal() for one in (token, *values) if one is not None and one.reveal()]


def secrets_of(tx: Tx, task: Task) -> list[str]:
    """The same for one task; none where its project takes no tasks any more."""
    project = tx.first(select(TaskProject).where(TaskProject.project_id == task.project_id))
    return [] if project is None else secrets(tx, project)


def secrets_of_live(tx: Tx) -> list[tuple[int, list[str]]]:
    """The same for every task that a machine has, by its number: for a server that starts."""
    query = select(Task.id, TaskProject).join(TaskProject, TaskProject.project_id == Task.project_id)
    held = query.where(Task.finished_at.is_(None), Task.status.in_(HELD))
    return [(task_id, secrets(tx, project)) for task_id, project in tx.session.execute(held)]
