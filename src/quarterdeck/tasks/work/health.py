"""What the ends of attempts say about the agent programs of a machine (contract: tasks §4.4)."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.fleet.workers import degradation
from quarterdeck.fleet.workers.degradation import FailureClass
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.job import Outcome
from quarterdeck.tasks import agents
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.settings.thresholds import thresholds
from quarterdeck.tasks.work import stages
from quarterdeck.tasks.work.model import StageRun, Task

CLASSES: dict[str, FailureClass] = {
    "agent_missing": "binary_missing",
    "agent_auth": "auth_failure",
    "rate_limited": "rate_limit",
    "agent_exited": "unknown",
}


def note(tx: Tx, task: Task, outcome: Outcome) -> None:
    """Count a failure that is the agent's own; a success clears what was counted of every agent that took part in it.
    Other failures say nothing of agents.
    """
    worker = tx.get(Worker, task.worker_id) if task.worker_id is not None else None
    if worker is None:
        return
    if outcome.state == "succeeded":
        for agent in sorted(_succeeded(tx, task)):
            degradation.agent_succeeded(tx, worker, agent)
    elif (failure := CLASSES.get(outcome.error_code or "")) is not None:
        degradation.agent_failed(tx, worker, _at_work(tx, task), failure, thresholds(tx, task.organization_id))


def _at_work(tx: Tx, task: Task) -> str:
    """The agent with which the attempt ended: that of the last stage that it began, and the task's own before any."""
    begun = [one for one in _of_attempt(tx, task) if one.status in ("running", "waiting", "failed")]
    return _agent(tx, task, begun[-1].position if begun else None)


def _succeeded(tx: Tx, task: Task) -> set[str]:
    good = ("completed", *stages.OPEN)  # the last one may not have been told of
    return {_agent(tx, task, one.position) for one in _of_attempt(tx, task) if one.status in good}


def _of_attempt(tx: Tx, task: Task) -> list[StageRun]:
    return [one for one in stages.rows(tx, task) if one.position >= task.from_stage]


def _agent(tx: Tx, task: Task, position: int | None) -> str:
    """What stands for an agent program in what is known of a machine. A stage may have another than its task."""
    own = task.pipeline[position].get("agentType") if position is not None else None
    key = tx.execute(select(TaskProject.key).where(TaskProject.project_id == task.project_id)).scalar() or ""
    return agents.of_project(str(own or task.agent_type), key)
