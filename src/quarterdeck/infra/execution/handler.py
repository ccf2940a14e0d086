"""The job `infra.run` on a worker."""

from __future__ import annotations

from typing import Any

from quarterdeck.infra.execution.machine import Machine
from quarterdeck.infra.execution.orders import RUN, InfraOrder
from quarterdeck.kernel.jobs import JobContext, WorkerHandlers


def register(handlers: WorkerHandlers, machine: Machine) -> None:
    """Let a worker run infrastructure jobs. What does so is imported with the first: most workers see none."""

    @handlers.register(RUN, InfraOrder)
    async def run(context: JobContext, order: InfraOrder) -> dict[str, Any]:
        from quarterdeck.infra.execution import clouds
        from quarterdeck.infra.execution.cloud_registry import providers
        from quarterdeck.infra.execution.executing import execute

        clouds.register(providers)
        return await execute(context, order, machine)
