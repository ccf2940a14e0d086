"""Reading what `df`, `du` and /proc say."""

from __future__ import annotations

from quarterdeck.fleet.capacity.values import Cpu, Disk, Inodes, Memory


def disk(path: str, table: str) -> Disk | None:
    """The last line of `df -Pk PATH`."""
    fields = _last(table)
    if fields is None:
        return None
    size, used, available = (int(value) * 1024 for value in fields[1:4])
    return Disk(path, fields[5], size, used, available, _percent(used, used + available))


def inodes(path: str, table: str) -> Inodes | None:
    """The last line of `df -Pi PATH`. File systems that make inodes as they need them say nothing."""
    fields = _last(table)
    if fields is None or int(fields[1]) == 0:
        return None
    used, free = int(fields[2]), int(fields[3])
    return Inodes(path, fields[5], used, free, _percent(used, used + free))


def memory(text: str) -> Memory:
    """/proc/meminfo."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        number = rest.split()[:1]
        if number and number[0].isdigit():
            found[name] = int(number[0]) * 1024
    return Memory(found.get("MemTotal"), found.get("MemAvailable"))


def cpu(cores: str, load: str) -> Cpu:
    """`nproc` and /proc/loadavg."""
    try:
        one, five, fifteen = (float(value) for value in load.split()[:3])
    except ValueError:
        averages = None
    else:
        averages = (one, five, fifteen)
    return Cpu(int(cores) if cores.strip().isdigit() else None, averages)


def size(text: str) -> int | None:
    """The first line of `du -sk PATH`."""
    number = text.split(maxsplit=1)[:1]
    return int(number[0]) * 1024 if number and number[0].isdigit() else None


def _last(table: str) -> list[str] | None:
    lines = table.strip().splitlines()
    fields = lines[-1].split(maxsplit=5) if len(lines) > 1 else []
    return fields if len(fields) == 6 and all(value.isdigit() for value in fields[1:4]) else None


def _percent(used: int, whole: int) -> float:
    return round(100 * used / whole, 1) if whole else 0.0
