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
from quarterdeck.tasks.work.model import Task

CLASSES: dict[str, FailureClass] = {
    "agent_missing": "binary_missing",
    "agent_auth": "auth_failure",
    "rate_limited": "rate_limit",
    "agent_exited": "unknown",
}


def note(tx: Tx, task: Task, outcome: Outcome) -> None:
    """Count a failure that is the agent's own; a success clears what was counted. Other failures say nothing of it."""
    worker = tx.get(Worker, task.worker_id) if task.worker_id is not None else None
    if worker is None:
        return
    agent = agents.of_project(task.agent_type, _key(tx, task))
    if outcome.state == "succeeded":
        degradation.agent_succeeded(tx, worker, agent)
    elif (failure := CLASSES.get(outcome.error_code or "")) is not None:
        degradation.agent_failed(tx, worker, agent, failure, thresholds(tx, task.organization_id))


def _key(tx: Tx, task: Task) -> str:
    """Of its project; empty where that takes no tasks any more."""
    return tx.execute(select(TaskProject.key).where(TaskProject.project_id == task.project_id)).scalar() or ""
