"""The other process of `fabric`: many workers in one, which run tasks by saying when they came. Given the server's
address and a directory; reads one enrolment token a line.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from quarterdeck.fleet.workers.client import run_worker
from quarterdeck.fleet.workers.description import Agent
from quarterdeck.fleet.workers.offering import Saying
from quarterdeck.kernel.jobs import JobContext, WorkerHandlers
from quarterdeck.kernel.vault import Secret
from quarterdeck.tasks.orders import RUN, TaskOrder, TaskResult

AT_A_TIME = 10
"""Workers that enrol at the same moment: a server proves each, and a fleet does not start as one."""


def handlers() -> WorkerHandlers:
    made = WorkerHandlers()

    @made.register(RUN, TaskOrder)
    async def run(_context: JobContext, order: TaskOrder) -> TaskResult:
        print(f"came {order.task_id} {time.time():.6f}", flush=True)
        return TaskResult(branch="none")

    return made


async def main(server: str, directory: Path) -> None:
    tokens = sys.stdin.read().split()
    saying = Saying(agents=lambda: [Agent(type="custom")])
    doors = asyncio.Semaphore(AT_A_TIME)
    async with asyncio.TaskGroup() as group:
        for number, token in enumerate(tokens):
            await doors.acquire()
            place = directory / str(number)
            place.mkdir(parents=True)
            working = run_worker(
                server,
                Secret(token),
                {"tasks"},
                4,
                place,
                handlers=handlers(),
                name=f"machine-{number}",
                fingerprint=f"bench-{number}",
                saying=saying,
                signals=False,
            )
            group.create_task(working)
            asyncio.get_running_loop().call_later(0.5, doors.release)
    print("ended", flush=True)


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
