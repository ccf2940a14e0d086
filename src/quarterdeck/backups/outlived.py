"""Host processes of the directory that stood where a backup is restored to: applications outlive their server, and
nothing in the restored directory knows of those that run already.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from quarterdeck.fleet.edge.holders import PROC, pids
from quarterdeck.fleet.processes.starting import supervisor_argv


def outlived(data: Path) -> list[int]:
    """Pids of their supervisors, by their command lines. Ask it before a server starts in the data directory: from then
    on it has such processes of its own.
    """
    below = data / "runtime"
    module = os.fsencode(supervisor_argv(below)[-2])
    found = []
    for pid in pids():
        with contextlib.suppress(OSError):  # it has ended, or is somebody else's
            words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[:-1]
            if words[-2:-1] != [module] or not Path(os.fsdecode(words[-1])).is_relative_to(below):
                continue
            # In a container the same path is another directory.
            if os.path.samestat((PROC / str(pid) / "ns/mnt").stat(), (PROC / "self/ns/mnt").stat()):
                found.append(pid)
    return found


def told(found: list[int]) -> str:
    """What to do about them; empty for none."""
    if not found:
        return ""
    some = "One host process" if len(found) == 1 else f"{len(found)} host processes"
    verb, them = ("runs", "it") if len(found) == 1 else ("run", "them")
    return (
        f"{some} of the directory that was here before still {verb}, unknown to this one. "
        f"Before you start the server, end {them}: kill {' '.join(map(str, found))}"
    )
