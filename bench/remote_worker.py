"""The other process of the remote start latency measurement."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

import msgspec

from quarterdeck.fleet.workers.client import run_worker
from quarterdeck.kernel.jobs import JobContext, worker_handlers


class Payload(msgspec.Struct):
    number: int


@worker_handlers.register("bench.remote", Payload)
async def run(context: JobContext, order: Payload) -> None:
    await context.record("started", {"number": order.number, "at": time.time()})


asyncio.run(run_worker(sys.argv[1], None, ["bench"], 4, Path(sys.argv[2]), handlers=worker_handlers))
