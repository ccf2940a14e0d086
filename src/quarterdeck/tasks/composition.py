"""What agent tasks add to a running installation, for the composition root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

from quarterdeck.fleet.workers.draining import departures
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.jobs import JobKind, Jobs
from quarterdeck.kernel.logs import Logs
from quarterdeck.kernel.protocols import Apart, Beside
from quarterdeck.tasks.dispatching.loop import Dispatching, beside
from quarterdeck.tasks.work import ordering, retention
from quarterdeck.tasks.work.ending import leave_machine
from quarterdeck.tasks.work.happenings import stream
from quarterdeck.tasks.work.kind import kind

KEPT = retention
"""Importing it says how long what of tasks stays."""


class AgentTasks:
    """A `kernel.protocols.Capability`."""

    apart: Mapping[str, Apart] = MappingProxyType({})

    def __init__(self, db: Database, logs: Logs) -> None:
        self._db = db
        self._logs = logs
        departures.register("agent-tasks", _leave)

    def kinds(self) -> Sequence[JobKind]:
        return [kind(self._logs)]

    def reached_at(self, address: str) -> None:
        pass

    async def ready(self) -> None:
        """Hide the secrets of what runs: a worker that dials in again is not given its order once more."""
        for task_id, hidden in await self._db.read(ordering.secrets_of_live):
            self._logs.mask(stream(task_id), hidden)

    def beside(self, jobs: Jobs) -> Sequence[Beside]:
        return [Beside("agent-tasks", partial(beside, Dispatching(self._db, jobs)))]


def _leave(tx: Tx, worker: Worker) -> None:
    leave_machine(tx, worker.id)
