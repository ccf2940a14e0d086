from __future__ import annotations

import os
import subprocess
import sys

from quarterdeck.kernel.logs import Logs

WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from quarterdeck.kernel.logs import Line, Logs

async def main():
    logs = Logs(sys.argv[1])
    while True:
        lines = [Line(datetime.now(UTC), "application", "stdout", None, "info", "x" * 50) for _ in range(100)]
        print(await logs.store("deployment:dep_1", lines), flush=True)

asyncio.run(main())
"""


def write_until_killed(address: object) -> int:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(address)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        acknowledged = [int(process.stdout.readline()) for _ in range(10)][-1]
        process.kill()
        return max([acknowledged, *(int(left) for left in process.stdout.read().split("\n")[:-1])])


async def test_a_killed_process_loses_no_acknowledged_line(database_address, database_kind, tmp_path):
    address = database_address if database_kind == "postgresql" else tmp_path / "logs.db"
    acknowledged = write_until_killed(address)
    logs = Logs(address)
    try:
        numbers = [one.number for one in await logs.read("deployment:dep_1", limit=1_000_000)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= acknowledged >= 1000
    finally:
        await logs.shut()
