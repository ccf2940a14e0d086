"""What a process of ours costs: read from /proc, for benches and the tests of budgets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from pathlib import Path

from quarterdeck.fleet.edge.edge import Edge


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_seconds(pid: int) -> float:
    """Processor time of the threads that a process has now: by the nanosecond, where `cpu_seconds` counts ticks."""
    return sum(int(one.read_text().split()[0]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def family_seconds(pid: int) -> float:
    """The same of a process and of the children that it has now."""
    total = run_seconds(pid)
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == pid:
                total += run_seconds(int(status.parent.name))
    return total


def resident_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def edge_pid(runtime: Path) -> int | None:
    async def ask() -> int | None:
        async with Edge(runtime) as edge:
            return (await edge.status()).pid

    return asyncio.run(ask())


def end_edge(runtime: Path) -> None:
    """End the proxy that a stopped server leaves running."""

    async def end() -> None:
        async with Edge(runtime) as edge:
            await edge.stop(grace_seconds=0)

    if (runtime / "edge").exists():
        asyncio.run(end())
