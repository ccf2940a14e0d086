"""One unit for each organization: choose for its tasks that wait, and keep why the others go on waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import and_, func, or_, select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs import Enqueue
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.tasks.dispatching.choosing import Machine, Need, choose
from quarterdeck.tasks.dispatching.machines import Seats, machines
from quarterdeck.tasks.orders import RUN
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.settings import settings as task_settings
from quarterdeck.tasks.work import sessions
from quarterdeck.tasks.work.happenings import happened, stream
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.payload import Attempt
from quarterdeck.tasks.work.transitions import ASSIGNED, COMPLETED, ENDED, QUEUED, RUNNING, move

PAGE = 500
"""Tasks that are looked at together."""
LONGEST_REASON = 300
MARGIN_SECONDS = 3600
OF_LEASE = 0.8
"""The part of its lease after which a worker that cannot renew it stops by itself (`kernel.jobs.attempt`)."""


def waiting(tx: Tx) -> list[int]:
    """Row ids of the organizations in which a task waits."""
    queued = (Task.finished_at.is_(None), Task.status == QUEUED)
    return sorted(tx.execute(select(Task.organization_id).where(*queued).distinct()).scalars())


def dispatch(tx: Tx, organization_id: int, seats: Seats) -> list[int]:
    """Give machines to the tasks of an organization that wait: the highest priority first, then who waits longest.
    Answers the numbers of those that got one. However many there are that cannot run, those behind them are looked at
    as long as a machine has a place.
    """
    tx.lock(f"tasks-dispatch:{organization_id}")
    queue = _page(tx, organization_id, None)
    if not queue:
        return []
    round_ = _Round(tx, organization_id, seats)
    given: list[int] = []
    while queue:
        round_.take(queue)
        given += _given(round_, queue)
        tx.flush()
        more = len(queue) == PAGE and any(one.open for one in round_.machines)
        queue = _page(tx, organization_id, queue[-1]) if more else []
    return given


def _page(tx: Tx, organization_id: int, after: Task | None) -> list[Task]:
    """The next of those that wait, in the order in which they are looked at."""
    query = select(Task).where(
        Task.organization_id == organization_id, Task.finished_at.is_(None), Task.status == QUEUED
    )
    if after is not None:
        behind = and_(Task.priority == after.priority, Task.id > after.id)
        query = query.where(or_(Task.priority < after.priority, behind))
    query = query.order_by(Task.priority.desc(), Task.id).limit(PAGE).execution_options(populate_existing=True)
    return list(tx.scalars(query.with_for_update(skip_locked=True) if tx.dialect == "postgresql" else query))


def _given(round_: _Round, queue: Sequence[Task]) -> list[int]:
    given = []
    for task in queue:
        reason = round_.obstacle(task)
        if reason is None:
            choice = choose(round_.machines, round_.need(task))
            if choice.machine is not None:
                round_.give(task, choice.machine)
                given.append(task.id)
                continue
            reason = choice.reason
        if task.queued_reason != reason:
            task.queued_reason = reason[:LONGEST_REASON]
    return given


class _Round:
    """What one look at the queue knows: the places and counts become less with each task that gets a machine."""

    def __init__(self, tx: Tx, organization_id: int, seats: Seats) -> None:
        self.tx = tx
        self.organization_id = organization_id
        self.settings: dict[str, Any] = task_settings.of(tx, organization_id)
        self.machines = machines(tx, organization_id, seats)
        self.projects: dict[int, TaskProject] = {}
        self.states: dict[int, str] = {}
        active = (Task.organization_id == organization_id, Task.finished_at.is_(None))
        counted = select(Task.project_id, Task.developer_id, func.count()).where(
            *active, Task.status.in_((ASSIGNED, RUNNING))
        )
        self.of_project: Counter[int] = Counter()
        self.of_developer: Counter[int] = Counter()
        for project_id, developer_id, number in tx.execute(counted.group_by(Task.project_id, Task.developer_id)):
            self.of_project[project_id] += number
            self.of_developer[developer_id] += number

    def take(self, queue: Sequence[Task]) -> None:
        """Read what some tasks that wait are about."""
        keys = {task.project_id for task in queue} - self.projects.keys()
        if keys:
            found = self.tx.scalars(select(TaskProject).where(TaskProject.project_id.in_(keys)))
            self.projects |= {one.project_id: one for one in found}
        needed = {one for task in queue for one in task.depends_on} - self.states.keys()
        if needed:
            mine = (Task.organization_id == self.organization_id, Task.id.in_(needed))
            rows = self.tx.execute(select(Task.id, Task.status).where(*mine))
            self.states |= {row[0]: row[1] for row in rows}

    def obstacle(self, task: Task) -> str | None:
        """Why a task waits, whatever machines there are."""
        project = self.projects.get(task.project_id)
        if project is None:
            return "Its project takes no tasks any more."
        if project.repo_url is None and project.ssh_url is None:
            return f"The project {project.key} has no repository."
        for one in task.depends_on:
            state = self.states.get(one)
            if state == COMPLETED:
                continue
            if state in ENDED:
                return f"It depends on task #{one}, which is {state}."
            return (
                f"Waits for task #{one}, which is {state}." if state else f"It depends on task #{one}, which is gone."
            )
        job = look(self.tx, task.job_id) if task.job_id is not None else None
        if job is not None and not job.ended:
            return "Its attempt before is being stopped."
        if project.most_tasks and self.of_project[task.project_id] >= project.most_tasks:
            return f"The project {project.key} has {_tasks(project.most_tasks)} at work, its limit (maxTasks)."
        most = self.settings["maxTasksPerDeveloper"]
        if most and self.of_developer[task.developer_id] >= most:
            return f"Its developer has {_tasks(most)} at work, the limit for each (maxTasksPerDeveloper)."
        return None

    def need(self, task: Task) -> Need:
        agents = {task.agent_type} | {stage["agentType"] for stage in task.pipeline if stage.get("agentType")}
        home = self._home(task)
        target, why = task.requested_worker_id, "it was asked for"
        if target is None and task.from_stage > 0 and home is not None:
            target, why = home, "it has the worktree of the stages before"
        return Need(
            agents=frozenset(agents),
            project=self.projects[task.project_id].key,
            target=target,
            why_bound=why,
            home=home,
            threshold=self.settings["loadThresholdPercent"],
        )

    def _home(self, task: Task) -> int | None:
        """The machine with the task's worktree, unless that is decommissioned."""
        found = sessions.home(self.tx, task) if task.attempt > 1 else None
        return found if any(one.id == found for one in self.machines) else None

    def lease(self, task: Task) -> int:
        """How long its machine may be silent at most, in seconds: through the grace, and through every question."""
        waits = [stage["confirmTimeout"] for stage in task.pipeline if stage.get("confirmTimeout")]
        longest: int = max([self.settings["confirmTimeoutSec"], *waits])
        grace: int = self.settings["reconnectGraceSec"]
        return max(
            jobs.kinds.get(RUN).lease_seconds,
            grace + MARGIN_SECONDS,
            int(longest / OF_LEASE) + MARGIN_SECONDS,
        )

    def give(self, task: Task, machine: Machine) -> None:
        """Assign a task, and enqueue its attempt for that machine alone."""
        tx = self.tx
        if task.from_stage > 0 and task.requested_worker_id is None and self._home(task) is None:
            task.from_stage = 0  # what the stages before have done is gone with its machine
        attempt = Attempt(
            task_id=task.id,
            number=task.attempt,
            session=sessions.resumed(tx, task, machine.id),
        )
        job = jobs.enqueue(
            tx,
            Enqueue(
                RUN,
                attempt,
                organization_id=task.organization_id,
                subject=stream(task.id),
                worker_id=machine.id,
                lease_seconds=self.lease(task),
            ),
        )
        task.worker_id, task.job_id = machine.id, job.id
        worker = tx.get(Worker, machine.id)
        move(tx, task, ASSIGNED, f"Task #{task.id} is given to machine {machine.name}.")
        told = f"Attempt {task.attempt} waits for {machine.name} to begin with it."
        happened(tx, task, "assigned", told, machineId=worker.uid if worker is not None else None)
        committing(tx, "task.dispatch")
        self.states[task.id] = ASSIGNED
        self.of_project[task.project_id] += 1
        self.of_developer[task.developer_id] += 1
        self.machines = [replace(one, used=one.used + 1) if one.id == machine.id else one for one in self.machines]


def _tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{number} tasks"
