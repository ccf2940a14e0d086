"""The job `task.run` on a worker."""

from __future__ import annotations

from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.jobs import Canceled, Fenced, JobContext, WorkerHandlers
from quarterdeck.tasks.orders import RUN, TaskOrder, TaskResult
from quarterdeck.tasks.running.failures import of_workspace
from quarterdeck.tasks.running.machine import Machine
from quarterdeck.tasks.running.pipeline import run_task


def register(handlers: WorkerHandlers, machine: Machine) -> None:
    """Let a worker run agent tasks; `await machine.begin()` comes before. Every failure is an `ErrorClass`."""

    @handlers.register(RUN, TaskOrder)
    async def run(context: JobContext, order: TaskOrder) -> TaskResult:
        try:
            return await run_task(machine, context, order)
        except (Canceled, Fenced):
            raise
        except Problem as problem:
            raise of_workspace(problem) from problem
