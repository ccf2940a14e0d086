"""The server's own machine as one that runs agent tasks: what `qd worker` does, in the server's process (ADR 0043)."""

from __future__ import annotations

import os
import platform
from functools import partial
from pathlib import Path

from quarterdeck.fleet.targets import machine
from quarterdeck.fleet.terminals.broker import Broker
from quarterdeck.fleet.terminals.local import LocalUplink
from quarterdeck.fleet.terminals.uplink import Uplink
from quarterdeck.fleet.workers import own
from quarterdeck.fleet.workers.control import WorkerControl
from quarterdeck.fleet.workers.credentials import AccessTokens
from quarterdeck.fleet.workers.offering import Saying, offer
from quarterdeck.fleet.workers.spool import FileSpool
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.jobs import JobContext, WorkerHandlers
from quarterdeck.kernel.jobs.worker import Worker
from quarterdeck.tasks.dispatching.choosing import CAPABILITY
from quarterdeck.tasks.orders import TaskOrder
from quarterdeck.tasks.terminals import subject
from quarterdeck.tasks.workshop import Lasting, Workshop

SLOTS = 4
DIRECTORY = "agents"
UID = "machine-id"


def require_root() -> None:
    """Raises `Invalid` (`agents_need_root`): as the server's own user, an agent would read the master key."""
    if os.geteuid() != 0:
        raise Invalid(
            "Agents run in the server's process only where it is root, which gives each project's agents a user of "
            "their own: as the server's user they could read its master key.",
            code="agents_need_root",
            hint="Leave --agents out, and start `qd worker --capability tasks` as another user.",
        )


class OwnMachine:
    """One for each server process. `run` works until canceled; `stop` gives back what runs."""

    def __init__(
        self,
        db: Database,
        control: WorkerControl,
        tokens: AccessTokens,
        terminals: Broker,
        directory: Path,
        organization_id: int,
    ) -> None:
        self._db, self._control, self._tokens, self._terminals = db, control, tokens, terminals
        self._directory, self._organization_id = directory / DIRECTORY, organization_id
        self._worker: Worker | None = None

    async def run(self) -> None:
        """Look which agents there are, and take tasks."""
        self._directory.mkdir(mode=0o711, exist_ok=True)
        row = await self._db.write(
            own.enlist, self._organization_id, self._uid(), platform.node(), frozenset({CAPABILITY})
        )
        workshop = Workshop(self._directory, partial(_through_memory, self._terminals, row.id))
        found = await workshop.begin()
        handlers = WorkerHandlers()
        workshop.register(handlers)
        paper = own.Pass(self._db, self._tokens, row.id)
        saying = Saying(agents=workshop.agents, projects=workshop.projects)
        offered = offer(
            row.name,
            {CAPABILITY, *found},
            SLOTS,
            self._directory,
            saying,
            credential=paper.shown,
            fingerprint=machine.fingerprint(),
        )
        spool = FileSpool(self._directory / "spool")
        self._worker = Worker(offered, handlers.find, spool=spool, clock=self._db.clock, ids=self._db.ids)
        await own.keep_connected(self._control, self._worker, paper, workshop.depart)

    async def stop(self, grace: float) -> None:
        if self._worker is not None:
            await self._worker.stop(grace)

    def _uid(self) -> str:
        """The id of this machine, drawn once and kept: its row is found again by it."""
        file = self._directory / UID
        if not file.exists():
            partial_file = file.with_suffix(".partial")
            partial_file.write_text(self._db.ids.uid())
            partial_file.replace(file)
        return file.read_text().strip()


async def _through_memory(terminals: Broker, worker_id: int, context: JobContext, order: TaskOrder) -> Uplink:
    """The terminal of an attempt, straight at the broker."""
    del context
    return Lasting(
        await LocalUplink.open(
            terminals, subject(order.task_id), order.attempt, order.columns, order.rows, worker_id=worker_id
        )
    )
