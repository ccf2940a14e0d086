"""Room on the disk of a directory. On the standard library alone: it is asked on servers, too."""

from __future__ import annotations

import os
from pathlib import Path

from quarterdeck.kernel.errors import Problem, Unavailable

LEAST_FREE = 0.05


def free_share(directory: Path) -> float:
    """The share of the disk that is free to us, 0 to 1."""
    status = os.statvfs(directory)
    return status.f_bavail / status.f_blocks if status.f_blocks else 1.0


def room(directory: Path) -> tuple[int, int]:
    """Bytes of the disk that are free to us, and how many it has."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize


def shortage(directory: Path, free: float, least_free: float) -> Problem | None:
    """Less free than has to stay: what to refuse new builds with, so that the database does not suffer."""
    if free >= least_free:
        return None
    return Unavailable(
        f"Only {free:.1%} of the disk of {directory} is free.",
        code="disk_low",
        hint=f"Prune images and old logs, or give the disk more room: below {least_free:.0%} nothing new is "
        "built (--least-free-disk). What runs goes on, and rollbacks work.",
    )


def require(directory: Path, least_free: float) -> None:
    """Raise the shortage of a disk, if there is one."""
    low = shortage(directory, free_share(directory), least_free)
    if low is not None:
        raise low
