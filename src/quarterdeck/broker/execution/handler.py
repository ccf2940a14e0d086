"""The job `broker.run` on a worker."""

from __future__ import annotations

from typing import Any

from quarterdeck.broker.execution.machine import Machine
from quarterdeck.broker.execution.orders import RUN, BrokerOrder
from quarterdeck.kernel.jobs import JobContext, WorkerHandlers


def register(handlers: WorkerHandlers, machine: Machine) -> None:
    """Let a worker carry secrets. What does so is imported with the first job: most workers see none."""

    @handlers.register(RUN, BrokerOrder)
    async def run(context: JobContext, order: BrokerOrder) -> dict[str, Any]:
        from quarterdeck.broker.execution.executing import execute

        return await execute(context, order, machine)
