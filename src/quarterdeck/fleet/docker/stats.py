"""What a container uses, second by second."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import msgspec

from quarterdeck.fleet.docker.engine import Count, Engine, decode
from quarterdeck.fleet.docker.messages import lines

NEVER = "0001-"  # the year in which an engine dates a sample that it has not taken


class CpuTimes(msgspec.Struct):
    total_usage: Count = 0


class Cpu(msgspec.Struct):
    cpu_usage: CpuTimes = msgspec.field(default_factory=CpuTimes)
    system_cpu_usage: Count = 0
    online_cpus: Count = 0


class Memory(msgspec.Struct):
    usage: Count = 0
    limit: Count = 0
    stats: dict[str, Count] = {}


class Traffic(msgspec.Struct):
    rx_bytes: Count = 0
    tx_bytes: Count = 0


class Operation(msgspec.Struct):
    op: str = ""
    value: Count = 0


class Block(msgspec.Struct):
    transferred: list[Operation] | None = msgspec.field(default=None, name="io_service_bytes_recursive")


class Processes(msgspec.Struct):
    current: Count = 0


class Raw(msgspec.Struct):
    """The parts of the engine's answer that we read."""

    read: str = ""
    cpu_stats: Cpu = msgspec.field(default_factory=Cpu)
    precpu_stats: Cpu = msgspec.field(default_factory=Cpu)
    memory_stats: Memory = msgspec.field(default_factory=Memory)
    networks: dict[str, Traffic] = {}
    blkio_stats: Block = msgspec.field(default_factory=Block)
    pids_stats: Processes = msgspec.field(default_factory=Processes)


@dataclass(frozen=True, slots=True)
class Sample:
    """`cpu_percent` counts one core as 100; memory is without what the kernel may drop; the rest are totals."""

    at: str
    cpu_percent: float
    memory_bytes: int
    memory_limit: int
    received_bytes: int
    sent_bytes: int
    read_bytes: int
    written_bytes: int
    pids: int

    @property
    def measured(self) -> bool:
        """Whether the engine could read its host's counters: on some kernels it cannot, and sends nothing but zeros."""
        return not self.at.startswith(NEVER)


def sample(raw: Raw) -> Sample:
    used = raw.cpu_stats.cpu_usage.total_usage - raw.precpu_stats.cpu_usage.total_usage
    passed = raw.cpu_stats.system_cpu_usage - raw.precpu_stats.system_cpu_usage
    percent = used / passed * (raw.cpu_stats.online_cpus or 1) * 100 if passed > 0 and used > 0 else 0.0
    memory = raw.memory_stats
    droppable = memory.stats.get("total_inactive_file", memory.stats.get("inactive_file", 0))
    moved = raw.blkio_stats.transferred or []
    return Sample(
        at=raw.read,
        cpu_percent=percent,
        memory_bytes=max(memory.usage - droppable, 0),
        memory_limit=memory.limit,
        received_bytes=sum(network.rx_bytes for network in raw.networks.values()),
        sent_bytes=sum(network.tx_bytes for network in raw.networks.values()),
        read_bytes=sum(item.value for item in moved if item.op.lower() == "read"),
        written_bytes=sum(item.value for item in moved if item.op.lower() == "write"),
        pids=raw.pids_stats.current,
    )


async def stats(engine: Engine, container: str) -> AsyncGenerator[Sample, None]:
    """One sample a second until the container ends. Keep one stream open: a single reading takes two seconds."""
    async with engine.stream("GET", f"/containers/{container}/stats", query={"stream": "1"}) as answer:
        async for line in lines(answer.aiter_bytes()):
            if line.strip():
                yield sample(decode(line, Raw))
