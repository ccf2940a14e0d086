"""What a worker measures of its own machine: /proc and the file system, nothing else. What cannot be read is None."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from quarterdeck.fleet.workers.description import Hardware

GIGABYTE = 1_000_000_000


class Gauge:
    """How busy the machine is. The share of the processors is that since the call before."""

    def __init__(self, directory: Path, proc: Path = Path("/proc")) -> None:
        self._directory = directory
        self._proc = proc
        self._ticks = self._processors()

    def read(self) -> dict[str, Any]:
        """The fields of a heartbeat: percentages of 100, and the load average of a minute."""
        return {
            "cpu_percent": self._cpu(),
            "mem_percent": self._memory(),
            "disk_percent": self._disk(),
            "load1": self._load(),
        }

    def _cpu(self) -> float | None:
        before, now = self._ticks, self._processors()
        self._ticks = now
        if before is None or now is None or now[0] <= before[0]:
            return None
        return round(100 * (1 - (now[1] - before[1]) / (now[0] - before[0])), 1)

    def _processors(self) -> tuple[int, int] | None:
        """Ticks of all processors, and those among them that were idle."""
        try:
            words = (self._proc / "stat").read_text().partition("\n")[0].split()
            ticks = [int(word) for word in words[1:9]]
            return sum(ticks), ticks[3] + ticks[4]
        except (OSError, ValueError, IndexError):
            return None

    def _memory(self) -> float | None:
        found = meminfo(self._proc)
        total, free = found.get("MemTotal"), found.get("MemAvailable")
        return round(100 * (1 - free / total), 1) if total and free is not None else None

    def _disk(self) -> float | None:
        try:
            disk = os.statvfs(self._directory)
        except OSError:
            return None
        usable = disk.f_blocks - disk.f_bfree + disk.f_bavail  # what is kept for root is no room for us
        return round(100 * (1 - disk.f_bavail / usable), 1) if usable else None

    def _load(self) -> float | None:
        try:
            return round(os.getloadavg()[0], 2)
        except OSError:
            return None


def meminfo(proc: Path = Path("/proc")) -> dict[str, int]:
    """The figures of /proc/meminfo, in kilobytes."""
    found = {}
    try:
        for line in (proc / "meminfo").read_text().splitlines():
            name, _, rest = line.partition(":")
            found[name] = int(rest.split()[0])
    except (OSError, ValueError, IndexError):
        return {}
    return found


def hardware(directory: Path, proc: Path = Path("/proc")) -> Hardware:
    """What the machine is made of."""
    total = meminfo(proc).get("MemTotal")
    try:
        disk = os.statvfs(directory)
        sizes = (disk.f_blocks * disk.f_frsize / GIGABYTE, disk.f_bavail * disk.f_frsize / GIGABYTE)
    except OSError:
        sizes = None
    return Hardware(
        hostname=platform.node()[:200] or None,
        os=_system()[:200] or None,
        arch=platform.machine()[:200] or None,
        cpu_model=_model(proc),
        cpu_cores=os.cpu_count(),
        memory_mb=total // 1024 if total else None,
        disk_total_gb=round(sizes[0], 1) if sizes else None,
        disk_free_gb=round(sizes[1], 1) if sizes else None,
    )


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return f"{platform.system()} {platform.release()}"


def _model(proc: Path) -> str | None:
    try:
        for line in (proc / "cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() in {"model name", "Model"}:
                return value.strip()[:200]
    except OSError:
        return None
    return None
