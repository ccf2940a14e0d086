"""A worker that is killed takes its terraform with it, gently: the state has what was made."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import msgspec
import pytest
from tests.infra.execution.test_interrupting import SLOW
from tests.infra.execution.workbench import MINIMAL, processes_in

ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import asyncio, json, os, pathlib, sys
import msgspec
from quarterdeck.infra.execution.orders import InfraOrder
from support.state_server import StateServer
from tests.infra.execution.workbench import Bench

told = json.loads(sys.stdin.read())
bench = Bench(pathlib.Path(told["directory"]), StateServer(told["url"]))
bench.ledger.hears = lambda line: print(line, flush=True)
asyncio.run(bench.attempt(msgspec.convert(told["order"], InfraOrder)))
"""


async def started(bench, server, order, **environment):
    """A process that runs the order, as a worker does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}:{ROOT / 'src'}", **environment},
    )  # fmt: skip
    told = {"directory": str(bench.directory), "url": server.url, "order": msgspec.to_builtins(order)}
    process.stdin.write(json.dumps(told).encode())
    process.stdin.close()
    return process


async def test_terraform_ends_with_its_worker_and_has_written_the_state(bench, server, forge):
    process = await started(bench, server, bench.order("DEPLOY", MINIMAL, module=forge.module({"main.tf": SLOW})))
    async with asyncio.timeout(60):
        while b"begun" not in await process.stdout.readline():
            pass
        process.kill()
        await process.wait()
        while processes_in(bench.directory):
            await asyncio.sleep(0.05)
    assert "terraform_data.first" in server.resources()
    assert server.lock is None
    # The next job of this machine clears what is left.
    await bench.run(bench.order("PLAN", MINIMAL, module=forge.module({"main.tf": SLOW}, name="again")))
    assert bench.left == ["infra-work"]


POINTS = [
    "infra.module.copy", "infra.init.recorded", "infra.init.start", "infra.init.ended", "infra.plan.recorded",
    "infra.plan.ended", "infra.plan.told", "infra.apply.begin", "infra.apply.recorded", "infra.apply.start",
    "infra.apply.ended", "infra.applied.tell", "infra.applied.told",
]  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_that_dies_anywhere_leaves_a_state_that_the_next_attempt_goes_on_from(
    bench, server, tmp_path, point
):
    faults = tmp_path / "faults"
    faults.mkdir()
    (faults / "armed").write_text(f"{point} 1")
    process = await started(bench, server, bench.order("DEPLOY"), QUARTERDECK_FAULTS=str(faults))
    async with asyncio.timeout(60):
        await process.communicate()
        while processes_in(bench.directory):
            await asyncio.sleep(0.05)
    assert process.returncode == -9
    server.lock = None  # the server lets go of what an attempt held that has lost its lease
    await bench.run(bench.order("DEPLOY"))
    assert len(server.resources()) == 16
    assert bench.left == ["infra-work"]
