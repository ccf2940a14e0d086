"""Where a process of this host listens, read from the kernel's own tables."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from quarterdeck.fleet.processes.tables import listeners

TABLES = ("tcp", "tcp6")


def heard(tables: str, only: frozenset[str] | None = None) -> set[tuple[int, bool]]:
    """(port, on loopback alone) of every listening socket; `only` these socket numbers."""
    return {(found.port, found.on_loopback) for found in listeners(tables) if only is None or found.socket in only}


def heard_of(pid: int) -> set[tuple[int, bool]]:
    """Where a process listens, or one that it started."""
    return heard(tables(pid), sockets(family(pid)))


def listens(pid: int, port: int) -> bool:
    """Whether a process or one that it started listens on this port. What the kernel does not let us see counts as it:
    a stranger on the same port would answer our probes as well.
    """
    if not os.access(f"/proc/{pid}/fd", os.R_OK | os.X_OK):
        return True
    return any(other == port for other, _ in heard(tables(pid), sockets(family(parent(pid) or pid))))


def parent(pid: int) -> int | None:
    """The supervisor, to which also those children fall whose own parent has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def tables(pid: int) -> str:
    found = ""
    for table in TABLES:
        try:
            found += Path(f"/proc/{pid}/net/{table}").read_text()
        except OSError:
            continue
    return found


def family(pid: int) -> set[int]:
    """The process and everything below it."""
    known, fresh = {pid}, [pid]
    while fresh:
        parent = fresh.pop()
        try:
            tasks = list(Path(f"/proc/{parent}/task").iterdir())
        except OSError:
            continue
        for task in tasks:
            try:
                children = {int(child) for child in (task / "children").read_text().split()}
            except OSError:
                continue
            fresh += children - known
            known |= children
    return known


def sockets(pids: Iterable[int]) -> frozenset[str]:
    """Numbers of the sockets that the processes have open."""
    numbers: set[str] = set()
    for pid in pids:
        try:
            links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]  # noqa: PTH115 - a socket is no path
        except OSError:
            continue
        numbers.update(link[8:-1] for link in links if link.startswith("socket:["))
    return frozenset(numbers)
