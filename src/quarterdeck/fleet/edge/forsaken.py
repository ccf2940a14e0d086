"""A Caddy of ours that nobody needs any more: the directory that it was started in was moved away or removed, another
stands in its place, and it goes on holding the ports. Found by a port, and ended only when all of this is certain.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from quarterdeck.fleet.edge.holders import DELETED, PROC, links, pids
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.process import Identity, process_lock, program_of
from quarterdeck.fleet.edge.program import run_command

SERVER_LOCK = "lock"
"""Of a data directory: its living server holds it (`DataDirectory.lock`)."""


@contextlib.contextmanager
def forsaken(identity: Identity, layout: Layout, program: Path) -> Iterator[bool]:
    """Whether the process is a Caddy that was started as the one of this directory would be, by us, and belongs to a
    directory that stood here before and that no living server has. None can take it for as long as the block lasts.

    Hold the routes lock of the directory. Looks at every process: enter it on a thread.
    """
    lock = _inherited_lock(identity, layout) if _started_as_ours(identity, layout, program) else None
    if lock is None:
        yield False
        return
    with _without_server(lock, layout) as alone:
        yield alone


def _started_as_ours(identity: Identity, layout: Layout, program: Path) -> bool:
    """The program (or one that was removed from its path since), the command, the user and the mounts are those that a
    Caddy started by us would have.
    """
    place = PROC / str(identity.pid)
    runs = program_of(identity)
    try:
        words = (place / "cmdline").read_bytes().split(b"\0")[:-1]
        status = (place / "status").read_text()
        # A path means another directory where other things are mounted.
        together = os.path.samestat((place / "ns/mnt").stat(), (PROC / "self/ns/mnt").stat())
    except OSError:
        return False
    users = next((line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")), [])
    return (
        runs is not None
        and str(runs).removesuffix(DELETED) == str(program.resolve())
        and words == [os.fsencode(word) for word in run_command(program, layout)]
        and users == [str(os.geteuid())] * 4
        and together
    )


def _inherited_lock(identity: Identity, layout: Layout) -> str | None:
    """What the kernel calls the lock that it was started under, where that is certainly another file than ours."""
    name = layout.process_lock.name
    named = {
        place: link
        for place, link in links(identity.pid).items()
        if link.startswith("/") and Path(link.removesuffix(DELETED)).name == name
    }
    if len(named) != 1:
        return None
    [(place, link)] = named.items()
    try:
        theirs = place.stat()
        if os.path.samestat(theirs, layout.process_lock.stat()):
            return None
        if not link.endswith(DELETED) and not os.path.samestat(theirs, os.stat(link)):  # noqa: PTH116 - beside the others
            return None  # something is mounted above it: nobody knows where it stands
    except OSError:
        return None
    return link


@contextlib.contextmanager
def _without_server(lock: str, layout: Layout) -> Iterator[bool]:
    """Whether no living server has the data directory that the lock of an edge stands or stood in."""
    data = Path(lock.removesuffix(DELETED)).parents[2]
    theirs, ours = data / SERVER_LOCK, layout.directory.parents[1] / SERVER_LOCK
    if any(f"{theirs}{DELETED}" in links(pid).values() for pid in pids()):
        yield False  # it lives, although its directory was removed
    elif not theirs.exists():
        yield lock.endswith(DELETED)
    elif ours.exists() and theirs.samefile(ours):
        yield lock.endswith(DELETED)  # only what stood in it was removed: the directory is ours
    else:
        with contextlib.ExitStack() as stack:
            try:
                held = stack.enter_context(process_lock(theirs))
            except OSError:
                held = None
            yield held is not None
