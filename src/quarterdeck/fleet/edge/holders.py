"""Who listens on a port of this machine, found by the number of the socket in /proc."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from quarterdeck.fleet.edge.process import Identity, identify, program_of
from quarterdeck.fleet.processes.tables import Listener, listeners

PROC = Path("/proc")
DELETED = " (deleted)"
_PRINTABLE = re.compile(r"[^\w.+@-]")


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """`program` is the name of what it runs, without the directory."""

    identity: Identity
    program: str

    @property
    def named(self) -> str:
        return f"process {self.identity.pid} ({self.program})"


def holders(port: int, address: str) -> list[Holder]:
    """Those who listen where a listener on this address (empty: every one) would be in their way, by their pids. What
    other users run is known to root alone. Looks at every process: call it on a thread.
    """
    wanted = {f"socket:[{found.socket}]" for found in _listening(port, address)}
    if not wanted:
        return []
    return [holder for pid in pids() if wanted & set(links(pid).values()) and (holder := _holder(pid)) is not None]


def pids() -> list[int]:
    return sorted(int(name) for name in os.listdir(PROC) if name.isdigit())  # noqa: PTH208 - names are wanted


def links(pid: int) -> dict[Path, str]:
    """What a process has open: the place in /proc, and what the kernel calls the file. Empty where nobody tells."""
    found = {}
    with contextlib.suppress(OSError):
        for place in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):  # closed in the meantime
                found[place] = os.readlink(place)  # noqa: PTH115 - a socket is no path
    return found


def _listening(port: int, address: str) -> Iterator[Listener]:
    tables = ""
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            tables += (PROC / "net" / name).read_text()
    return (found for found in listeners(tables) if found.port == port and _meets(found.address, address))


def _meets(theirs: str, address: str) -> bool:
    """Whether a listener on an address of the kernel's table is in the way of one on ours."""
    if not address or not theirs.strip("0"):
        return True
    # Words of four bytes, each in the order of this machine.
    words = (int(theirs[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in range(0, len(theirs), 8))
    found = ipaddress.ip_address(b"".join(words))
    ours = ipaddress.ip_address(address)
    return ours.is_unspecified or ours in {found, getattr(found, "ipv4_mapped", None)}


def _holder(pid: int) -> Holder | None:
    identity = identify(pid)
    if identity is None:
        return None
    path = program_of(identity)
    name = path.name.removesuffix(DELETED) if path is not None else ""
    return Holder(identity=identity, program=_PRINTABLE.sub("?", name)[:40] or "unknown")
