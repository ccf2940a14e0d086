"""The job `task.run` on a worker."""

from __future__ import annotations

from quarterdeck.kernel.jobs import JobContext, WorkerHandlers
from quarterdeck.tasks.orders import RUN, TaskOrder, TaskResult
from quarterdeck.tasks.running.machine import Machine
from quarterdeck.tasks.running.pipeline import Pipeline


def register(handlers: WorkerHandlers, machine: Machine) -> None:
    """Let a worker run agent tasks; `await machine.begin()` comes before."""

    @handlers.register(RUN, TaskOrder)
    async def run(context: JobContext, order: TaskOrder) -> TaskResult:
        return await Pipeline(machine, context, order).run()
