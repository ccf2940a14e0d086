"""Where an application listens instead of where it should, read from the kernel's own tables."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from quarterdeck.deploy.execution.target import Target
from quarterdeck.fleet.docker import containers

LISTENING = "0A"
TABLES = ("tcp", "tcp6")
LOOPBACKS = {"0100007F", "00000000000000000000000001000000"}


async def wrong_port(target: Target, runtime: dict[str, Any]) -> str | None:
    """What to do when it listens on another port, or on localhost alone; None when nothing can be said."""
    port = int(runtime["port"])
    if runtime["kind"] == "container":
        found = await containers.find(target.need_engine(), runtime["container"])
        if found is None or not found.state.pid or not target.need_engine().local:
            return None
        rows = listeners(_tables(found.state.pid))
        advice = "Set that port (qd set NAME port=N; in the console, Settings, Network) and deploy again."
    else:
        status = target.processes.find(runtime["instance"])
        if status is None or not status.pid:
            return None
        rows = listeners(_tables(status.pid), sockets(family(status.pid)))
        advice = f"Let it listen on the port that PORT names ({port} here)."
    if (port, True) in rows and (port, False) not in rows and runtime["kind"] == "container":
        return f"The application listens on port {port} of localhost alone. Let it listen on 0.0.0.0."
    others = sorted({heard for heard, _ in rows if heard != port})
    return f"The application listens on {', '.join(map(str, others))}. {advice}" if others else None


def answers_itself(target: Target, runtime: dict[str, Any]) -> bool:
    """Whether the one that listens on a host process's port is that process or one that it started.

    A stranger on the same port would answer our probes as well. What the kernel does not let us see counts as ours.
    """
    status = target.processes.find(runtime["instance"])
    if status is None or not status.pid:
        return False
    if not os.access(f"/proc/{status.pid}/fd", os.R_OK | os.X_OK):
        return True
    ours = sockets(family(_parent(status.pid) or status.pid))
    return any(heard == int(runtime["host_port"]) for heard, _ in listeners(_tables(status.pid), ours))


def _parent(pid: int) -> int | None:
    """The supervisor, to which also those children fall whose own parent has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def listeners(tables: Iterable[str], only: frozenset[str] | None = None) -> set[tuple[int, bool]]:
    """(port, on loopback alone) of every listening socket in /proc/net/tcp tables; `only` these socket numbers."""
    found = set()
    for table in tables:
        for row in table.splitlines()[1:]:
            fields = row.split()
            address, _, port = fields[1].rpartition(":")
            # The engine's own resolver listens inside every network of a container, on 127.0.0.11.
            if fields[3] == LISTENING and address != "0B00007F" and (only is None or fields[9] in only):
                found.add((int(port, 16), address in LOOPBACKS))
    return found


def _tables(pid: int) -> list[str]:
    found = []
    for table in TABLES:
        try:
            found.append(Path(f"/proc/{pid}/net/{table}").read_text())
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
