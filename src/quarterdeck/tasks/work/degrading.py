"""What the end of an attempt says about the agent on its machine (contract: tasks §4.4)."""

from __future__ import annotations

from quarterdeck.fleet.workers import degradation
from quarterdeck.fleet.workers.degradation import FailureClass
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs.job import Outcome
from quarterdeck.tasks.settings.thresholds import thresholds
from quarterdeck.tasks.work.model import Task

CLASSES: dict[str, FailureClass] = {
    "agent_missing": "binary_missing",
    "agent_auth": "auth_failure",
    "rate_limited": "rate_limit",
    "agent_exited": "unknown",
}
"""By the code that an attempt fails with; any other is no fault of the agent's."""


def note(tx: Tx, task: Task, outcome: Outcome) -> None:
    """Count the end of the newest attempt for or against the agent, where it is about the agent."""
    worker = tx.get(Worker, task.worker_id) if task.worker_id is not None else None
    if worker is None:
        return
    if outcome.state == "succeeded":
        degradation.agent_succeeded(tx, worker, task.agent_type)
    elif outcome.state == "failed" and (found := CLASSES.get(outcome.error_code or "")):
        degradation.agent_failed(tx, worker, task.agent_type, found, thresholds(tx, task.organization_id))
