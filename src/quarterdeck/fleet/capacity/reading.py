"""Reading what `df`, `du` and /proc say."""

from __future__ import annotations

import math

from quarterdeck.fleet.capacity.values import Cpu, Disk, Inodes, Memory
from quarterdeck.kernel.answers import KIBIBYTES, whole
from quarterdeck.kernel.text import shown

MEMORY = ("MemTotal", "MemAvailable")
LONGEST_LOAD = 200


def disk(path: str, table: str) -> Disk | None:
    """The last line of `df -Pk PATH`."""
    fields = _last(table)
    if fields is None:
        return None
    mount, (size, used, available) = fields[0], (blocks * 1024 for blocks in fields[1])
    return Disk(path, mount, size, used, available, _percent(used, used + available))


def inodes(path: str, table: str) -> Inodes | None:
    """The last line of `df -Pi PATH`. File systems that make inodes as they need them say nothing."""
    fields = _last(table)
    if fields is None or fields[1][0] == 0:
        return None
    mount, (_, used, free) = fields
    return Inodes(path, mount, used, free, _percent(used, used + free))


def memory(text: str) -> Memory:
    """/proc/meminfo."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        number = _first(rest) if name in MEMORY else None
        if number is not None:
            found[name] = number * 1024
    return Memory(*(found.get(name) for name in MEMORY))


def cpu(cores: str, load: str) -> Cpu:
    """`nproc` and /proc/loadavg."""
    try:
        one, five, fifteen = (float(value) for value in load[:LONGEST_LOAD].split()[:3])
    except ValueError:
        averages = None
    else:
        averages = (one, five, fifteen) if all(map(math.isfinite, (one, five, fifteen))) else None
    return Cpu(whole(cores), averages)


def size(text: str) -> int | None:
    """The first line of `du -sk PATH`."""
    number = _first(text)
    return None if number is None else number * 1024


def _first(text: str) -> int | None:
    words = text.split(maxsplit=1)[:1]
    return whole(words[0], KIBIBYTES) if words else None


def _last(table: str) -> tuple[str, list[int]] | None:
    """Where the file system of the last line is mounted, and its three numbers."""
    lines = table.strip().splitlines()
    fields = lines[-1].split(maxsplit=5) if len(lines) > 1 else []
    numbers = [number for value in fields[1:4] if (number := whole(value, KIBIBYTES)) is not None]
    return (shown(fields[5]), numbers) if len(fields) == 6 and len(numbers) == 3 else None


def _percent(used: int, whole: int) -> float:
    return round(100 * used / whole, 1) if whole else 0.0
